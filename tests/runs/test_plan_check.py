"""The plan check: an untouched run passes, and a change to any number of it is seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F

from planning.formulation import PROFIT_PARTS
from planning.models import GoalResult, MaterialBalance, OrderResult, ProductBalance, Production, Run, Utilization
from planning.runs import RunOptions, start_run
from planning.runs.copies import load_copy, read_copy
from planning.runs.execute import write_back
from planning.runs.plan_check import PlanRefused, check_plan
from planning.runs.solve import solve_copy
from planning.runs.states import State, move
from planning.snapshot import Snapshot
from tests.formulation.small_plants import baseline
from tests.runs.rich_plant import make_rich

pytestmark = pytest.mark.django_db

TABLES = (Production, ProductBalance, Utilization, MaterialBalance, OrderResult, GoalResult)
QUANTITIES = [
    (table, field.name)
    for table in TABLES
    for field in table._meta.get_fields()
    if field.get_internal_type() == "FloatField" and not field.name.startswith("shadow")
]
NAMES = [
    (table, field.name)
    for table in TABLES
    for field in table._meta.get_fields()
    if field.get_internal_type() == "CharField"
]


@pytest.fixture
def run(db: None, tmp_path: Path) -> Run:
    """Return a solved run of the rich plant."""
    started = start_run(baseline(make_rich(tmp_path)), here=True)
    move(started.pk, 1, (State.QUEUED,), State.RUNNING)
    model = load_copy(read_copy(started))
    write_back(started, 1, solve_copy(model, RunOptions()), Snapshot(model.tables))
    started.refresh_from_db()
    return started


def check(run: Run) -> None:
    """Check the stored plan of a run against its copy."""
    check_plan(Run.objects.get(pk=run.pk), Snapshot(load_copy(read_copy(run)).tables))


def assert_refused(run: Run) -> str:
    with pytest.raises(PlanRefused) as caught:
        check(run)
    assert caught.value.faults
    return str(caught.value)


def change(run: Run, table: Any, column: str, value: Any, **where: Any) -> None:
    """Change the first row that fits."""
    row = table.objects.filter(run=run, **where).first()
    assert row is not None, f"no row of {table.__name__} with {where}"
    table.objects.filter(pk=row.pk).update(**{column: value})


def test_the_plant_has_something_to_say_in_every_column(run: Run) -> None:
    for table, column in QUANTITIES:
        assert table.objects.filter(run=run, **{f"{column}__gt": 0}).exists(), f"{table.__name__}.{column} is 0"
    assert Production.objects.filter(run=run, setup=True).exists()
    assert [part for part, amount in run.profit_parts.items() if not amount] == []


def test_an_untouched_run_passes(run: Run) -> None:
    assert run.state == Run.State.SOLVED, run.reason
    check(run)


class TestQuantities:
    @pytest.mark.parametrize(("table", "column"), QUANTITIES)
    def test_more_of_it_is_seen(self, table: Any, column: str, run: Run) -> None:
        change(run, table, column, F(column) + 0.01, **{f"{column}__gt": 0})
        assert_refused(run)

    @pytest.mark.parametrize(("table", "column"), QUANTITIES)
    def test_less_of_it_is_seen(self, table: Any, column: str, run: Run) -> None:
        change(run, table, column, F(column) - 0.01, **{f"{column}__gt": 0})
        assert_refused(run)

    @pytest.mark.parametrize(("table", "column"), QUANTITIES)
    def test_something_where_there_was_nothing_is_seen(self, table: Any, column: str, run: Run) -> None:
        row = table.objects.filter(run=run, **{column: 0}).first()
        if row is not None:
            table.objects.filter(pk=row.pk).update(**{column: 1})
            assert_refused(run)

    @pytest.mark.parametrize(("table", "column"), QUANTITIES)
    def test_a_number_that_is_none_is_seen(self, table: Any, column: str, run: Run) -> None:
        change(run, table, column, float("inf"))
        assert_refused(run)

    @pytest.mark.parametrize("column", ["available", "utilization_pct"])
    @pytest.mark.parametrize("kind", ["machine", "material"])
    def test_a_limit_that_is_blanked_is_seen(self, column: str, kind: str, run: Run) -> None:
        change(run, Utilization, column, None, resource_type=kind, **{f"{column}__isnull": False})
        assert_refused(run)

    @pytest.mark.parametrize("column", ["available", "utilization_pct"])
    @pytest.mark.parametrize("kind", ["machine", "material"])
    def test_a_limit_that_is_invented_is_seen(self, column: str, kind: str, run: Run) -> None:
        change(run, Utilization, column, 5.0, resource_type=kind, **{f"{column}__isnull": True})
        assert_refused(run)

    @pytest.mark.parametrize("setup", [True, False])
    def test_a_setup_that_is_turned_is_seen(self, setup: bool, run: Run) -> None:
        change(run, Production, "setup", not setup, setup=setup)
        assert_refused(run)

    def test_a_plan_of_other_whole_units_is_seen(self, run: Run) -> None:
        """A change that foots in all tables but one."""
        made = Production.objects.filter(run=run, product="Chair", quantity__gt=1)[0]
        Production.objects.filter(pk=made.pk).update(quantity=F("quantity") - 0.5)
        assert "whole units" in assert_refused(run)


class TestPrices:
    def priced(self, run: Run) -> Utilization:
        row = Utilization.objects.filter(run=run, shadow_price__gt=0, shadow_price_high__isnull=False).first()
        assert row is not None
        return row

    def test_one_less_that_costs_below_what_one_more_brings_is_seen(self, run: Run) -> None:
        row = Utilization.objects.filter(run=run, shadow_price_more__gt=0, shadow_price_less__gt=0).first()
        assert row is not None
        change(run, Utilization, "shadow_price_less", row.shadow_price_more / 2, pk=row.pk)
        assert "shadow_price_less" in assert_refused(run)

    @pytest.mark.parametrize("column", ["shadow_price", "shadow_price_low", "shadow_price_high"])
    @pytest.mark.parametrize("value", [-1.0, float("inf"), float("-inf")])
    def test_a_value_that_none_can_have_is_seen(self, column: str, value: float, run: Run) -> None:
        change(run, Utilization, column, value, pk=self.priced(run).pk)
        assert_refused(run)

    def test_a_range_that_begins_above_the_limit_is_seen(self, run: Run) -> None:
        row = self.priced(run)
        change(run, Utilization, "shadow_price_low", row.available + 0.01, pk=row.pk)
        assert_refused(run)

    def test_a_range_that_ends_below_the_limit_is_seen(self, run: Run) -> None:
        row = self.priced(run)
        change(run, Utilization, "shadow_price_high", row.available - 0.01, pk=row.pk)
        assert_refused(run)

    @pytest.mark.parametrize("kind", ["machine", "material"])
    def test_a_price_where_the_limit_does_not_bind_is_seen(self, kind: str, run: Run) -> None:
        change(run, Utilization, "shadow_price", 3.0, resource_type=kind, utilization_pct__lt=90, shadow_price=0)
        assert "does not bind" in assert_refused(run)

    @pytest.mark.parametrize("kind", ["machine", "material"])
    def test_a_price_where_there_is_no_limit_is_seen(self, kind: str, run: Run) -> None:
        change(run, Utilization, "shadow_price", 3.0, resource_type=kind, available=None)
        assert "there is no limit" in assert_refused(run)

    @pytest.mark.parametrize("column", ["shadow_price_low", "shadow_price_high"])
    def test_a_range_without_a_price_is_seen(self, column: str, run: Run) -> None:
        change(run, Utilization, column, 3.0, shadow_price=None)
        assert_refused(run)

    def test_a_price_that_is_blanked_is_seen(self, run: Run) -> None:
        change(run, Utilization, "shadow_price", None, pk=self.priced(run).pk)
        assert_refused(run)


class TestRows:
    @pytest.mark.parametrize("table", TABLES)
    def test_a_removed_row_is_seen(self, table: Any, run: Run) -> None:
        table.objects.filter(run=run).last().delete()
        assert_refused(run)

    @pytest.mark.parametrize("table", TABLES)
    def test_an_extra_row_is_seen(self, table: Any, run: Run) -> None:
        row = table.objects.filter(run=run).last()
        row.pk = None
        row.save(force_insert=True)
        assert_refused(run)

    @pytest.mark.parametrize("table", TABLES)
    def test_swapped_rows_are_seen(self, table: Any, run: Run) -> None:
        first, second = table.objects.filter(run=run)[:2]
        first.pk, second.pk = second.pk, first.pk
        first.save()
        second.save()
        assert_refused(run)

    @pytest.mark.parametrize(("table", "column"), NAMES)
    def test_another_name_is_seen(self, table: Any, column: str, run: Run) -> None:
        change(run, table, column, "material" if column == "resource_type" else "Other")
        assert_refused(run)


class TestProfit:
    @pytest.mark.parametrize("part", PROFIT_PARTS)
    @pytest.mark.parametrize("by", [0.01, -0.01])
    def test_another_part_is_seen(self, part: str, by: float, run: Run) -> None:
        parts = run.profit_parts | {part: run.profit_parts[part] + by}
        Run.objects.filter(pk=run.pk).update(profit_parts=parts)
        assert part in assert_refused(run)

    @pytest.mark.parametrize("part", PROFIT_PARTS)
    def test_a_missing_part_is_seen(self, part: str, run: Run) -> None:
        parts = {name: amount for name, amount in run.profit_parts.items() if name != part}
        Run.objects.filter(pk=run.pk).update(profit_parts=parts)
        assert part in assert_refused(run)

    def test_a_part_that_there_is_not_is_seen(self, run: Run) -> None:
        Run.objects.filter(pk=run.pk).update(profit_parts=run.profit_parts | {"luck": 0.0})
        assert "luck" in assert_refused(run)

    CORRUPTIONS: dict[str, Callable[[Run], dict[str, Any]]] = {
        "more profit": lambda run: {"objective": run.objective + 0.01},
        "less profit": lambda run: {"objective": run.objective - 0.01},
        "no profit": lambda run: {"objective": None},
        "a bound below the profit": lambda run: {"bound": run.objective - 0.01},
        "a bound further away than the gap": lambda run: {"bound": run.objective + 100},
        "no bound": lambda run: {"bound": None},
        "an endless bound": lambda run: {"bound": float("inf")},
        "another gap": lambda run: {"gap": 0.5},
        "no gap": lambda run: {"gap": None},
    }

    @pytest.mark.parametrize("case", CORRUPTIONS)
    def test_it_is_seen(self, case: str, run: Run) -> None:
        Run.objects.filter(pk=run.pk).update(**self.CORRUPTIONS[case](run))
        assert_refused(run)


class TestOrdersAndGoals:
    def order(self, run: Run, reference: str) -> OrderResult:
        return OrderResult.objects.get(run=run, reference=reference)

    def test_units_that_were_not_sold_are_seen(self, run: Run) -> None:
        order = self.order(run, "O1")
        order.deliveries, order.delivered, order.shortfall = [{"period": "1", "quantity": 27.0}], 27.0, 0.0
        order.save()
        assert "deliveries to orders[Chair,1] is 27, and the limit is 20" in assert_refused(run)

    def test_more_than_was_ordered_is_seen(self, run: Run) -> None:
        order = self.order(run, "O3")
        order.deliveries = [{"period": "3", "quantity": order.target + 5}]
        order.delivered = order.target + 5
        order.shortfall = 0
        order.save()
        assert "delivered[O3]" in assert_refused(run)

    def test_a_delivery_before_its_order_is_seen(self, run: Run) -> None:
        order = self.order(run, "O2")
        order.deliveries = [{"period": "1", "quantity": order.delivered}, *order.deliveries]
        order.save()
        assert "The deliveries of order [O2] are not in the periods 2, 3" in assert_refused(run)

    def test_other_levels_are_seen(self, run: Run) -> None:
        for levels in (
            run.levels[:-1],
            [{**level, "deviation": level["deviation"] + 0.01} for level in run.levels],
        ):
            Run.objects.filter(pk=run.pk).update(levels=levels)
            assert "priorit" in assert_refused(run)
