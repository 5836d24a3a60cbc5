"""Detached records: typed columns, records that write through, and errors for what was not loaded."""

from __future__ import annotations

import copy
import datetime
import pickle
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from planning.lx import LXColumn, LXLink, LXModelError, LXNotLoadedError, LXTable
from tests.lx.small_models import furniture


class TestColumns:
    @pytest.mark.parametrize(
        ("values", "dtype"),
        [
            ([1.5, 2.0], np.float64),
            ([1, 2], np.int64),
            ([True, False], np.bool_),
            ([1.5, None], np.float64),
            ([None, 7], np.int64),
            (["a", "b"], object),
            ([1, 2.0], object),
            ([1, True], object),
            ([Decimal("1.5")], object),
            ([None, None], object),
            ([2**63], object),
            ([2**63, None], object),
            ([[1, 2], [3, 4]], object),
            ([(1, 2), (3, 4)], object),
            (np.array([1, 2], dtype=np.int32), np.int64),
            (np.array([1.5], dtype=np.float32), np.float64),
            (np.array([2**63], dtype=np.uint64), object),
            (np.array(["a", "b"]), object),
        ],
    )
    def test_have_a_type_where_every_value_has_it_and_give_back_what_they_got(self, values: Any, dtype: Any) -> None:
        column = LXColumn.of(values)
        assert column.values.dtype == dtype
        given = values if isinstance(values, list) else values.tolist()
        assert column.tolist() == given
        assert [column.get(i) for i in range(len(given))] == given
        assert list(map(type, column.tolist())) == list(map(type, given))

    def test_without_values_take_the_type_that_is_named(self) -> None:
        assert LXColumn.of([], float).values.dtype == np.float64
        assert LXColumn.of([None, None], int).values.dtype == np.int64
        assert LXColumn.of([None, None], int).tolist() == [None, None]

    def test_fill_in_what_is_missing(self) -> None:
        assert LXColumn.of([1, None]).filled(-7.0).tolist() == [1.0, -7.0]

    def test_refuse_a_matrix(self) -> None:
        with pytest.raises(LXModelError, match="one value per row"):
            LXColumn.of(np.zeros((2, 2)))

    def test_of_different_lengths_are_refused(self) -> None:
        with pytest.raises(LXModelError, match="table t have different lengths"):
            LXTable("t", {"a": [1], "b": [1, 2]})


class TestRecords:
    def test_hold_python_scalars(self) -> None:
        table = LXTable(
            "t", {"f": [1.5], "i": [2], "b": [True], "s": ["x"], "d": [datetime.date(2026, 1, 5)], "n": [None]}
        )
        row = table.rows[0]
        assert [row.f, row.i, row.b, row.s, row.d, row.n] == [1.5, 2, True, "x", datetime.date(2026, 1, 5), None]
        assert list(map(type, (row.f, row.i, row.b))) == [float, int, bool]

    def test_write_through_to_the_column(self) -> None:
        products, _, _ = furniture()
        products.rows[0].profit_per_unit = 50
        assert products.columns["profit_per_unit"].tolist() == [50.0, 120.0, 200.0]
        assert type(products.rows[0].profit_per_unit) is float

    def test_write_a_null_and_take_it_back(self) -> None:
        products, _, _ = furniture()
        products.rows[0].max_demand = None
        products.rows[1].max_demand = 7.0
        assert products.columns["max_demand"].tolist() == [None, 7.0, 30.0]

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("profit_per_unit", "12"),
            ("profit_per_unit", True),
            ("profit_per_unit", [1.0]),
            ("profit_per_unit", np.array([1.0])),
            ("profit_per_unit", 2**53 + 1),
            ("profit_per_unit", 10**400),
            ("profit_per_unit", Decimal(1)),
            ("boxes", 1.5),
            ("boxes", 2**63),
            ("boxes", True),
            ("is_new", 1),
        ],
    )
    def test_refuse_what_the_column_cannot_hold_exactly(self, field: str, value: Any) -> None:
        products, _, _ = furniture()
        before = products.columns[field].tolist()
        with pytest.raises(LXModelError, match="does not fit a column"):
            setattr(products.rows[0], field, value)
        assert products.columns[field].tolist() == before

    def test_reached_twice_are_the_same_object(self) -> None:
        products, _, recipes = furniture()
        chair = products.rows[0]
        assert recipes.rows[0].product is chair
        assert recipes.rows[1].product is chair
        assert next(iter(products.rows)) is chair
        assert products.rows[:1][0] is chair

    def test_are_keys(self) -> None:
        products, _, recipes = furniture()
        price = {row: row.profit_per_unit for row in products.rows}
        assert price[recipes.rows[2].product] == 120.0
        assert products.rows[0] != products.rows[1]
        assert products.rows[0] != "Chair"
        assert products.rows[0] in products.rows

    def test_of_two_tables_are_never_equal(self) -> None:
        assert furniture()[0].rows[0] != furniture()[0].rows[0]

    def test_name_themselves(self) -> None:
        products, _, recipes = furniture()
        assert repr(products.rows[0]) == "<Product Chair>"
        assert repr(recipes.rows[0]) == "<Recipe 0>"

    def test_know_their_primary_key(self) -> None:
        products, _, _ = furniture()
        assert [row.pk for row in products.rows] == [1, 2, 3]
        with pytest.raises(LXNotLoadedError):
            _ = LXTable("t", {"a": [1]}).rows[0].pk


class TestWhatWasNotLoaded:
    def test_a_field_names_itself_and_the_remedy(self) -> None:
        products, _, _ = furniture()
        with pytest.raises(LXNotLoadedError, match=r"Product\.category was not loaded.*select_related\('category'\)"):
            _ = products.rows[0].category

    def test_a_relation_names_itself_and_the_remedy(self) -> None:
        table = LXTable("Recipe", {"id": [1, 2]}, {"product": LXLink(None, np.array([0, -1]))})
        with pytest.raises(LXNotLoadedError, match=r"Recipe\.product was not loaded.*select_related\('product'\)"):
            _ = table.rows[0].product
        assert table.rows[1].product is None  # nothing there, which is known without loading

    def test_writing_a_field_that_is_not_there_is_refused(self) -> None:
        products, _, _ = furniture()
        with pytest.raises(LXNotLoadedError, match="no loaded column 'proft_per_unit'"):
            products.rows[0].proft_per_unit = 3.0

    def test_a_relation_is_not_written(self) -> None:
        products, _, recipes = furniture()
        with pytest.raises(LXNotLoadedError):
            recipes.rows[0].product = products.rows[1]

    def test_a_column_of_rows_that_is_not_there_is_refused(self) -> None:
        products, _, recipes = furniture()
        with pytest.raises(LXNotLoadedError, match=r"Product\.price"):
            products.rows.column("price")
        with pytest.raises(LXModelError, match="is a relation"):
            recipes.rows.column("product")
        empty = LXTable("Recipe", {}, {"product": LXLink(products, np.zeros(0, dtype=np.int64))})
        with pytest.raises(LXModelError, match="is a relation"):
            empty.rows.column("product")


class TestCopies:
    def test_of_a_record_is_the_record_of_a_copied_table(self) -> None:
        _, _, recipes = furniture()
        for made in (copy.deepcopy(recipes.rows[2]), pickle.loads(pickle.dumps(recipes.rows[2]))):
            assert made.product.name == "Table"
            made.product.name = "Bench"
            assert recipes.rows[2].product.name == "Table"

    def test_keep_identity_within_one_copy(self) -> None:
        _, _, recipes = furniture()
        made = pickle.loads(pickle.dumps([recipes.rows[0], recipes.rows[0].product]))
        assert made[0].product is made[1]

    def test_of_a_table_have_their_own_columns(self) -> None:
        products, _, _ = furniture()
        chair = products.rows[0]
        made = copy.deepcopy(products)
        made.rows[0].profit_per_unit = 1.0
        assert chair.profit_per_unit == 45.0
        assert products.rows[0] is chair
