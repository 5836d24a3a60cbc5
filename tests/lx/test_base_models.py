"""A model before any copy: what it took holds no live row, makes no query, and is as it was when it was added."""

from __future__ import annotations

import copy
import functools
import gc
import pickle
import sys
import types
import weakref
from collections import ChainMap, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.paginator import Paginator
from django.db import connection
from django.utils.functional import SimpleLazyObject
from sqlalchemy import event
from sqlalchemy.orm import Session

from planning.lx import (
    LXConstraint,
    LXDetachError,
    LXIndexDimension,
    LXLinearExpression,
    LXModel,
    LXModelError,
    LXNotLoadedError,
    LXOptimizer,
    LXRecord,
    LXVariable,
    compile_model,
    copy_function_detaching_closure,
    dump_model,
    materialize_and_detach_list,
)
from planning.lx.orm import is_orm_row
from planning.models import Machine, Product, ProductionRecipe
from tests.factories import make_furniture
from tests.lx import guide_tables
from tests.lx import test_closures as holders

pytestmark = pytest.mark.django_db

limit = 2.0


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    make_furniture()
    machine = Machine.objects.get(name="Cutting Machine")
    monkeypatch.setattr(holders, "global_machine", machine)
    return machine


def make_of(rows: Any = None, name: str = "make") -> LXVariable[Any, float]:
    variable = LXVariable[Product, float](name).bounds(upper=1.0).indexed_by(lambda p: p.id)
    return variable.from_model(Product) if rows is None else variable.from_data(rows)


def model_with(coefficient: Any, rows: Any = None) -> LXModel:
    """Return a model whose objective takes the coefficient."""
    make = make_of(rows)
    model = LXModel("m").add_variable(make)
    return model.maximize(LXLinearExpression().add_term(make, 1.0).add_term(make, coefficient))


def live_rows(start: Any) -> list[Any]:
    """Return the live rows that an object leads to, whatever the way; modules are nobody's data."""
    modules = {id(vars(module)) for module in list(sys.modules.values())}
    seen, waiting, found = {id(start)}, [start], []
    while waiting:
        for part in gc.get_referents(waiting.pop()):
            if id(part) in seen or id(part) in modules or isinstance(part, (type, types.ModuleType, types.FrameType)):
                continue
            seen.add(id(part))
            if is_orm_row(part):
                found.append(part)
            else:
                waiting.append(part)
    return found


class TestAfterItTookAFunction:
    @pytest.mark.parametrize("where", holders.HOLDERS)
    def test_no_live_row_is_left_wherever_it_lay(self, machine: Machine, where: str) -> None:
        model = model_with(holders.HOLDERS[where](machine))
        with connection.execute_wrapper(lambda *args: pytest.fail("a query")):
            machine.available_hours = 1.0
            assert compile_model(model).cost.tolist() == [81.0] * 3
        assert live_rows(model) == []

    @pytest.mark.parametrize(
        "use",
        [
            compile_model,
            dump_model,
            pickle.dumps,
            lambda model: LXOptimizer().solve(model),
            lambda model: compile_model(copy.deepcopy(model)),
        ],
    )
    def test_a_relation_that_was_not_loaded_raises_instead_of_a_query(
        self, machine: Machine, use: Callable[[LXModel], Any]
    ) -> None:
        fresh = Machine.objects.get(pk=machine.pk)
        model = model_with(lambda p, m=fresh: len(m.plant.name))
        with (
            connection.execute_wrapper(lambda *args: pytest.fail("a query")),
            pytest.raises(LXNotLoadedError, match=r"Machine\.plant was not loaded .* select_related\('plant'\)"),
        ):
            use(model)

    def test_building_compiling_solving_and_copying_make_no_query(self, machine: Machine) -> None:
        recipes = {(r.product_id, r.machine_id): r for r in ProductionRecipe.objects.select_related("machine")}
        machines, products = list(Machine.objects.all()), list(Product.objects.all())
        with connection.execute_wrapper(lambda *args: pytest.fail("a query")):
            make = make_of(products).bounds(upper=lambda p: p.max_demand)
            model = LXModel("m").add_variable(make)
            for saw in machines:
                used = LXLinearExpression().add_multi_term(make, lambda p, m=saw: recipes[p.id, m.id].hours_required)
                model.add_constraint(LXConstraint(saw.name).expression(used).le().rhs(saw.available_hours))
            model.maximize(LXLinearExpression().add_term(make, lambda p: p.profit_per_unit))
            best = LXOptimizer().solve(model).objective_value
            for made in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
                assert LXOptimizer().solve(made).objective_value == best
        assert live_rows(model) == []

    def test_rows_of_sqlalchemy_are_asked_no_more_either(self) -> None:
        engine = guide_tables.init_database()
        with Session(engine) as session:
            guide_tables.populate(session)
            saw, expired = session.query(guide_tables.Machine).order_by(guide_tables.Machine.id)
            make = LXVariable[Any, float]("make").bounds(upper=1.0).indexed_by(lambda p: p.id)
            model = LXModel("m").add_variable(make.from_model(guide_tables.Product, session))
            session.expire(expired)
            event.listen(engine, "before_cursor_execute", lambda *args: pytest.fail("a query"))
            model.maximize(LXLinearExpression().add_term(make, lambda p, m=saw: m.available_hours))
            saw.available_hours = 1.0
            assert compile_model(model).cost.tolist() == [80.0] * 3
            model.maximize(LXLinearExpression().add_term(make, lambda p, m=expired: m.id))
            assert compile_model(model).cost.tolist() == [2.0] * 3
            model.maximize(LXLinearExpression().add_term(make, lambda p, m=expired: m.available_hours))
            with pytest.raises(LXNotLoadedError, match=r"Machine\.available_hours was not loaded"):
                compile_model(model)
        assert live_rows(model) == []
        engine.dispose()

    def test_a_function_that_holds_no_row_is_the_modellers_own(self, machine: Machine) -> None:
        hours = {p.id: 2.0 for p in Product.objects.all()}
        functions: list[Callable[[Any], Any]] = [lambda p: p.id, lambda p, f=3.0: p.id * f, lambda p: hours[p.id]]
        for function in functions:
            assert model_with(function).objective.terms[1].coefficient is function
        model = model_with(functions[2])
        hours[next(iter(hours))] = 5.0
        assert sorted(compile_model(model).cost.tolist()) == [3.0, 3.0, 6.0]


class TestOneRow:
    @pytest.mark.parametrize("first", ["family", "function"])
    def test_of_a_family_and_of_a_function_is_one_record(self, machine: Machine, first: str) -> None:
        chair = Product.objects.get(name="Chair")
        make, other = make_of(), LXVariable[Machine, float]("other").bounds(upper=1.0).from_model(Machine)
        model = LXModel("m")
        bounded = other.bounds(upper=lambda m, held=(chair, {chair: 1.0}): held[1][held[0]])
        model.add_variable(*((make, bounded) if first == "family" else (bounded, make)))
        held: Any = bounded.upper
        row = next(row for row in make.rows if row.name == "Chair")
        assert held.__defaults__[0][0] is row
        assert next(iter(held.__defaults__[0][1])) is row
        row.profit_per_unit = 1.0
        assert held.__defaults__[0][0].profit_per_unit == 1.0

    def test_is_found_where_rows_were_asked_for_before_the_family_was_added(self, machine: Machine) -> None:
        make = make_of()
        assert len(make.rows) == 3
        chair = Product.objects.get(name="Chair")
        model = LXModel("m").add_variable(make)
        model.maximize(LXLinearExpression().add_term(make, lambda p: 5.0 if p is chair else 0.0))
        assert sorted(compile_model(model).cost.tolist()) == [0.0, 0.0, 5.0]

    def test_is_found_in_the_tables_of_the_model_and_of_a_copy(self, machine: Machine) -> None:
        products = materialize_and_detach_list(Product.objects.all()).table
        chair = Product.objects.get(name="Chair")
        make = make_of(products)
        model = LXModel("m", {"products": products}).add_variable(make)
        for made in (model, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
            variable = made.variables[0]
            made.maximize(LXLinearExpression().add_term(variable, lambda p: 5.0 if p is chair else 0.0))
            assert sorted(compile_model(made).cost.tolist()) == [0.0, 0.0, 5.0]

    def test_with_two_states_is_refused(self, machine: Machine) -> None:
        chair = Product.objects.get(name="Chair")
        chair.profit_per_unit = 50.0
        model = LXModel("m").add_variable(make := make_of())
        with pytest.raises(LXModelError, match=r"reached twice with different values of profit_per_unit: 45\.0 and 50"):
            model.maximize(LXLinearExpression().add_term(make, lambda p: chair.profit_per_unit))

    def test_whose_record_was_changed_is_refused(self, machine: Machine) -> None:
        model = LXModel("m").add_variable(make := make_of())
        chair = Product.objects.get(name="Chair")
        next(row for row in make.rows if row.name == "Chair").profit_per_unit = 1.0
        with pytest.raises(LXDetachError, match=r"objective › term 1 › closure 'chair' is a live row whose profit"):
            model.maximize(LXLinearExpression().add_term(make, lambda p: chair.profit_per_unit))

    def test_of_a_model_that_was_detached_twice_is_refused(self, machine: Machine) -> None:
        make, other = make_of(), make_of(name="other")
        assert make.rows is not None
        assert other.rows is not None
        chair = Product.objects.get(name="Chair")
        model = LXModel("m").add_variable(make, other)
        with pytest.raises(LXDetachError, match=r"closure 'chair' is a row of planning\.Product, whose rows were"):
            model.maximize(LXLinearExpression().add_term(make, lambda p: chair.profit_per_unit))


class TestAFunction:
    def test_is_taken_as_it_is_when_it_is_added(self, machine: Machine) -> None:
        make = make_of()
        model = LXModel("m").add_variable(make)
        held: dict[str, Any] = {}
        for one in Machine.objects.order_by("id"):
            held["machine"] = one
            used = LXLinearExpression().add_multi_term(make, lambda p: one.id + held["machine"].id)  # noqa: B023
            model.add_constraint(LXConstraint(one.name).expression(used).le().rhs(1.0))
        saw, station = Machine.objects.order_by("id")
        assert compile_model(model).values.tolist() == [2.0 * saw.id] * 3 + [2.0 * station.id] * 3

    def test_that_shares_many_rows_with_others_shares_their_records(self, machine: Machine) -> None:
        recipes = {(r.product_id, r.machine_id, i): r for r in ProductionRecipe.objects.all() for i in range(50)}
        make = make_of()
        model = LXModel("m").add_variable(make)
        functions: list[Any] = []
        for number in range(3):
            used = LXLinearExpression().add_multi_term(make, lambda p: recipes[p.id, machine.id, 7].hours_required)
            model.add_constraint(LXConstraint(f"c{number}").expression(used).le().rhs(1.0))
            functions.append(used.terms[0].coefficient)
        shared = [function.__closure__[1].cell_contents for function in functions]
        assert shared[0] is shared[1] is shared[2] is not recipes
        recipes.clear()
        assert compile_model(model).values.tolist() == [0.5, 1.5, 2.0] * 3
        assert live_rows(model) == []

    def test_reads_other_globals_late(self, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys.modules[__name__], "cutting", machine, raising=False)
        model = model_with(lambda p: cutting.available_hours * limit + max(0, 1))  # type: ignore[name-defined] # noqa: F821
        assert compile_model(model).cost.tolist() == [162.0] * 3
        monkeypatch.setattr(sys.modules[__name__], "limit", 3.0)
        assert compile_model(model).cost.tolist() == [242.0] * 3

    def test_that_is_given_after_the_family_was_added_is_detached_before_use(self, machine: Machine) -> None:
        model = model_with(1.0)
        model.variables[0].bounds(upper=lambda p: machine.available_hours)
        model.objective.add_term(model.variables[0], lambda p: machine.available_hours)
        assert compile_model(model).upper.tolist() == [80.0] * 3
        assert live_rows(model) == []
        products = Product.objects.all()
        model.variables[0].bounds(upper=lambda p: len(products))
        for use in (compile_model, copy.deepcopy, pickle.dumps):
            with pytest.raises(LXDetachError, match=r"variable make › upper bound › closure 'products' is a queryset"):
                use(model)

    def test_that_got_a_row_after_it_was_added_is_detached_before_use(self, machine: Machine) -> None:
        held: list[Any] = [SimpleHolder(80.0)]
        model = model_with(lambda p: held[0].available_hours)
        held[0] = machine
        assert compile_model(model).cost.tolist() == [81.0] * 3
        assert live_rows(model) == []

    def test_of_a_dimension_is_detached_too(self, machine: Machine) -> None:
        chair, saw = Product.objects.get(name="Chair"), Machine.objects.get(name="Cutting Machine")
        amount = (
            LXVariable[Any, float]("amount")
            .bounds(upper=1.0)
            .indexed_by_product(
                LXIndexDimension(Product, lambda p: (p.id, saw.id)).from_model().where(lambda p: p == chair),
                LXIndexDimension(Machine, lambda m: m.id)
                .from_model()
                .match(lambda m: saw.plant_id, lambda p: chair.plant_id),
                where=lambda p, m: p == chair and m == saw,
            )
        )
        model = LXModel("m").add_variable(amount)
        with connection.execute_wrapper(lambda *args: pytest.fail("a query")):
            assert amount.keys == [((chair.id, saw.id), saw.id)]
            compile_model(model)
        assert live_rows(model) == []


class SimpleHolder:
    def __init__(self, available_hours: float) -> None:
        self.available_hours = available_hours


class TestWhatCannotBeDetached:
    def test_is_refused_when_it_is_added_with_the_way_to_it(self, machine: Machine, tmp_path: Path) -> None:
        make = make_of()
        model = LXModel("m").add_variable(make)
        m = [1, 2, 3, Product.objects.all()]
        objective = LXLinearExpression().add_term(make).add_term(make, lambda p: len(m))
        with pytest.raises(LXDetachError, match=r"^objective › term 2 › closure 'm' › \[3\] is a queryset or manager"):
            model.maximize(objective)
        with (tmp_path / "f").open("w") as file:
            family = LXConstraint("c").expression(LXLinearExpression().add_constant(lambda r: file.name)).le()
            with pytest.raises(LXDetachError, match=r"^constraint c › constant 1 › closure 'file' is an open file"):
                model.add_constraint(family)
            with pytest.raises(LXDetachError, match=r"^variable x › key › default 'f' is an open file"):
                model.add_variable(make_of(name="x").indexed_by(lambda p, f=file: p.id))
        assert model.objective.terms == model.constraints == []
        assert model.variables == [make]

    def test_is_refused_in_a_class_and_in_methods_that_are_used(self, machine: Machine) -> None:
        class Planner:
            machine: Any = None
            hours = 3.0

            def __init__(self) -> None:
                self.rows = list(Product.objects.all())

            def load(self) -> Any:
                return Product.objects.all()

            def first(self) -> Any:
                return self.load().first().profit_per_unit

        planner = Planner()
        planner.rows = []
        assert compile_model(model_with(lambda p: planner.hours)).cost.tolist() == [4.0] * 3
        with pytest.raises(LXDetachError, match=r"closure 'planner' › \.load › global 'Product' › \.objects is"):
            model_with(lambda p: planner.first())
        with pytest.raises(LXDetachError, match=r"\.load › global 'Product' › \.objects is a query"):
            model_with(lambda p: getattr(planner, "first")())  # noqa: B009
        Planner.machine = machine
        assert compile_model(model_with(lambda p: planner.hours)).cost.tolist() == [4.0] * 3
        with pytest.raises(LXDetachError, match=r"closure 'planner' › \.machine holds a row .* class or module"):
            model_with(lambda p: planner.machine.available_hours)

    def test_is_refused_in_a_class_that_is_called_or_lies_in_a_container(self, machine: Machine) -> None:
        class Loads:
            def __init__(self) -> None:
                self.rows = list(Product.objects.all())

        class Holds:
            machine: Any = None

        held = {"kind": Holds}
        Holds.machine = machine
        with pytest.raises(LXDetachError, match=r"closure 'Loads' › \.__init__ › global 'Product' › \.objects is"):
            model_with(lambda p: len(Loads().rows))
        with pytest.raises(LXDetachError, match=r"closure 'held' › \['kind'\] › \.machine holds a row"):
            model_with(lambda p: held["kind"].machine.available_hours)
        for kind in (Machine, Holds):
            assert (
                compile_model(model_with(lambda p, k=kind: 2.0 if isinstance(p, k) else 1.0)).cost.tolist() == [2.0] * 3
            )

    def test_is_refused_near_to_an_object_of_a_library(self, machine: Machine) -> None:
        page = Paginator(Machine.objects.order_by("id"), 2).page(1)
        with pytest.raises(LXDetachError, match=r"closure 'page' is a queryset or manager"):
            model_with(lambda p: len(page.object_list))
        called = np.vectorize(lambda number: machine.available_hours)
        with pytest.raises(LXDetachError, match=r"closure 'called' is a row of a database in a vectorize"):
            model_with(lambda p: float(called(1)))

    def test_is_refused_in_a_result_row_of_sqlalchemy(self) -> None:
        engine = guide_tables.init_database()
        with Session(engine) as session:
            guide_tables.populate(session)
            pair = session.query(guide_tables.Product, guide_tables.Product.id).first()
            with pytest.raises(LXDetachError, match=r"closure 'pair' is a row of a database in a Row"):
                copy_function_detaching_closure(lambda p: pair[0].profit_per_unit)
            labels = session.query(guide_tables.Product.name, guide_tables.Product.id).first()
            assert copy_function_detaching_closure(function := lambda p: labels.id) is function
        engine.dispose()

    def test_is_refused_in_objects_of_libraries(self, machine: Machine) -> None:
        rows = {1: machine}
        weak = weakref.WeakValueDictionary(rows)
        for held in (rows.values(), rows.items(), iter([machine]), zip([1], [machine], strict=True), weak):
            with pytest.raises(LXDetachError, match=r"closure 'held' is a row of a database in a \w+, which can't be"):
                model_with(lambda p: len(held) and 1.0)  # noqa: B023
        lazy = SimpleLazyObject(Machine.objects.first)
        with pytest.raises(LXDetachError, match=r"closure 'lazy' is an object that is made when it is used"):
            model_with(lambda p: lazy.available_hours)

    def test_is_refused_in_a_row_that_a_dictionary_has_twice(self) -> None:
        engine = guide_tables.init_database()
        with Session(engine) as one, Session(engine) as other:
            guide_tables.populate(one)
            twice = {session.get(guide_tables.Machine, 1): 1.0 for session in (one, other)}
            make = LXVariable[Any, float]("make").indexed_by(lambda p: p.id).from_model(guide_tables.Product, one)
            model = LXModel("m").add_variable(make)
            with pytest.raises(LXDetachError, match="the same row of a database as a key twice"):
                model.maximize(LXLinearExpression().add_term(make, lambda p: len(twice)))
        engine.dispose()


class PrivateHolder:
    __slots__ = ("__machine",)

    def __init__(self, machine: Any) -> None:
        self.__machine = machine

    def hours(self) -> float:
        return float(self.__machine.available_hours)


class TestContainers:
    def test_with_private_slots_are_looked_into(self, machine: Machine) -> None:
        holder = PrivateHolder(machine)
        model = model_with(lambda p: holder.hours())
        machine.available_hours = 1.0
        assert compile_model(model).cost.tolist() == [81.0] * 3
        assert live_rows(model) == []

    def test_of_a_cache_are_begun_anew(self, machine: Machine) -> None:
        rows = {1: machine}

        @functools.cache
        def cached(number: int) -> Any:
            return rows[number]

        assert cached(1) is machine
        rows.clear()
        rows[1] = SimpleHolder(2.0)
        assert compile_model(model_with(lambda p: cached(1).available_hours)).cost.tolist() == [3.0] * 3

    def test_that_make_missing_values_make_them_of_records(self, machine: Machine) -> None:
        made = defaultdict(lambda: machine)
        model = model_with(lambda p: made[p.id].available_hours)
        machine.available_hours = 1.0
        assert compile_model(model).cost.tolist() == [81.0] * 3
        assert live_rows(model) == []

    def test_in_layers_or_in_columns_are_looked_through(self, machine: Machine) -> None:
        layers = ChainMap({}, {"m": machine})
        table = np.array([[1, machine], [machine, 2]], dtype=object).T
        with pytest.raises(LXDetachError, match="in a ChainMap"):
            model_with(lambda p: layers["m"].available_hours)
        model = model_with(lambda p: table[1, 0].available_hours + table[1, 1])
        assert compile_model(model).cost.tolist() == [83.0] * 3
        assert live_rows(model) == []


@dataclass
class Pair:
    product: Any
    machine: Any


@dataclass(slots=True)
class SlottedPair:
    product: Any
    machine: Any


class TestRowsOfTheModellersOwn:
    @pytest.mark.parametrize("kind", [Pair, SlottedPair, lambda product, machine: {"p": product, "m": [machine]}])
    def test_that_hold_rows_hold_records(self, machine: Machine, kind: Any) -> None:
        pairs = [kind(product, machine) for product in Product.objects.order_by("id")]

        def product_of(pair: Any) -> Any:
            return pair["p"] if isinstance(pair, dict) else pair.product

        make = LXVariable[Any, float]("make").indexed_by(lambda pair: product_of(pair).id).from_data(pairs)
        products = make_of(name="other")
        model = LXModel("m").add_variable(make, products)
        model.maximize(LXLinearExpression().add_term(make, lambda pair: product_of(pair).profit_per_unit))
        held = [product_of(pair) for pair in make.rows]
        assert held == sorted(products.rows, key=lambda row: row.id)
        assert {type(row) for row in held} == {LXRecord}
        product_of(pairs[0]).profit_per_unit = 0.0
        assert compile_model(model).cost.tolist() == [45.0, 120.0, 200.0, 0.0, 0.0, 0.0]
        assert live_rows(model) == []
        values = (
            LXOptimizer()
            .solve(
                model.add_constraint(LXConstraint("c").expression(LXLinearExpression().add_term(make)).le().rhs(1.0))
            )
            .variables["make"]
        )
        assert values[product_of(pairs[2]).id] == pytest.approx(1.0)

    def test_that_hold_none_are_the_modellers_own(self) -> None:
        for rows in ([Pair(1, 2.0), Pair("a", None)], [SlottedPair(1, 2.0)], [{"a": 1}], [(1, 2)], ["a"]):
            make = LXVariable[Any, float]("make").indexed_by(str).from_data(rows)
            LXModel("m").add_variable(make)
            assert all(mine is given for mine, given in zip(make.rows, rows, strict=True))

    def test_that_hold_what_cannot_be_detached_are_refused(self, machine: Machine) -> None:
        pairs = [Pair(1, 2), Pair(1, [Product.objects.all()])]
        make = LXVariable[Any, float]("make").indexed_by(id).from_data(pairs)
        with pytest.raises(LXDetachError, match=r"variable make › rows › \[1\] › \.machine › \[0\] is a queryset"):
            LXModel("m").add_variable(make)
