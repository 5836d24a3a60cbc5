"""What LumiX' tutorial on databases shows, on Django and on SQLAlchemy: families, lookups, solving, saving."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from planning.lx import (
    LXConstraint,
    LXIndexDimension,
    LXLinearExpression,
    LXModel,
    LXNotLoadedError,
    LXOptimizer,
    LXVariable,
    dump_model,
    load_model,
)
from tests.factories import BEST_MAKE, BEST_PROFIT
from tests.lx.guide_sources import Source, SqlAlchemySource, source_named, workshop_model
from tests.lx.guide_tables import Classroom, Lecture, TimeSlot

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["django", "sqlalchemy"])
def source(request: pytest.FixtureRequest) -> Iterator[Source]:
    with source_named(request.param) as source:
        yield source


def family(source: Source, kind: str) -> LXVariable[Any, float]:
    """Return `production` with its rows given in one of the ways that the tutorial and the README name."""
    Product = source.tables.Product  # noqa: N806
    production = (
        LXVariable[Product, float]("production")
        .continuous()
        .bounds(lower=lambda p: p.min_demand, upper=lambda p: p.max_demand)
        .indexed_by(lambda p: p.id)
    )
    if kind == "from_model":
        return production.from_model(*source.model(Product))
    if kind == "query":
        return production.from_model(source.rows(Product))
    if kind == "session":
        return production.from_model(*source.model(Product)[1:])
    return production.from_data(list(source.rows(Product)))


@pytest.mark.parametrize("kind", ["from_model", "query", "session", "from_data"])
def test_the_tutorials_model_gives_its_published_plan(source: Source, kind: str) -> None:
    model = workshop_model(source, family(source, kind))
    products = list(source.rows(source.tables.Product))
    with source.closed():
        solution = LXOptimizer().solve(model)
        assert solution.is_optimal
        assert solution.objective_value == pytest.approx(BEST_PROFIT)
        production = solution.variables["production"]
        assert {p.name: pytest.approx(production[p]) for p in model.variables[0].get_instances()} == BEST_MAKE
    if source.session is None:
        assert {p.name: pytest.approx(production[p]) for p in products} == BEST_MAKE
    products = list(source.rows(source.tables.Product))
    assert {p.name: pytest.approx(production[p]) for p in products} == BEST_MAKE
    assert {p.name: pytest.approx(production[p.id]) for p in products} == BEST_MAKE
    assert source.rows(source.tables.Machine).first() not in production


def test_a_lookup_is_read_once_and_asked_by_names(source: Source) -> None:
    get_hours, get_material = source.hours_checker(), source.material_checker()
    chair, table, _ = source.rows(source.tables.Product)
    cutting, assembly = source.rows(source.tables.Machine)
    wood, _, fabric = source.rows(source.tables.RawMaterial)
    ids = [row.id for row in (chair, table, cutting, assembly, wood, fabric)]
    with source.closed():
        assert get_hours(product_id=ids[0], machine_id=ids[3]) == 1.0  # type: ignore[call-arg]
        assert get_hours(ids[1], ids[2]) == 1.5
        assert get_material(product_id=ids[1], material_id=ids[4]) == 25.0  # type: ignore[call-arg]
        assert get_material(ids[1], ids[5]) == 0.0


def test_a_plan_is_saved_by_row(source: Source) -> None:
    solution = LXOptimizer().solve(workshop_model(source))
    products = list(source.rows(source.tables.Product))
    schedules = []
    for product in products:
        quantity = solution.variables["production"][product]
        schedules.append((product, quantity))
    assert source.save_schedule(schedules) == pytest.approx(list(BEST_MAKE.values()))


def test_a_mistyped_field_is_an_error(source: Source) -> None:
    product = source.rows(source.tables.Product).first()
    record = workshop_model(source).variables[0].get_instances()[0]
    assert record.profit_per_unit == product.profit_per_unit
    with pytest.raises(AttributeError):
        _ = product.proft_per_unit
    with pytest.raises(LXNotLoadedError, match="proft_per_unit"):
        _ = record.proft_per_unit
    production = family(source, "from_model")
    model = LXModel("m").add_variable(production)
    model.maximize(LXLinearExpression().add_term(production, lambda p: p.proft_per_unit))
    with pytest.raises(LXNotLoadedError, match=r"Product\.proft_per_unit was not loaded"):
        LXOptimizer().solve(model)


def test_a_pickled_model_is_solved_and_asked_by_row_and_key(source: Source) -> None:
    model = workshop_model(source)
    restored: Any = pickle.loads(pickle.dumps(model))
    production = LXOptimizer().solve(restored).variables["production"]
    for rows in (list(source.rows(source.tables.Product)), restored.variables[0].rows, model.variables[0].rows):
        assert {p.name: pytest.approx(production[p]) for p in rows} == BEST_MAKE
        assert {p.name: pytest.approx(production[p.id]) for p in rows} == BEST_MAKE


@pytest.mark.parametrize("sense", ["le", "ge", "eq"])
def test_a_right_side_may_be_changed_on_a_copy(source: Source, sense: str) -> None:
    production = LXVariable[Any, float]("production").bounds(upper=50.0).indexed_by(lambda p: p.id)
    production.from_model(*source.model(source.tables.Product))
    limit = LXConstraint[Any]("limit").expression(LXLinearExpression().add_term(production, 1.0)).rhs(20)
    getattr(limit, sense)()
    model = LXModel("m").add_variable(production).add_constraint(limit)
    objective = LXLinearExpression().add_term(production, 1.0)
    model = model.minimize(objective) if sense == "ge" else model.maximize(objective)
    changed: LXModel = pickle.loads(pickle.dumps(model))
    changed.constraints[0].rhs_value *= 1.5
    assert LXOptimizer().solve(changed).objective_value == pytest.approx(30.0)
    changed.constraints[0].rhs_value = 40
    assert LXOptimizer().solve(changed).objective_value == pytest.approx(40.0)
    assert LXOptimizer().solve(model).objective_value == pytest.approx(20.0)


def test_a_family_of_constraints_stands_for_the_loop(source: Source) -> None:
    tables = source.tables
    production = family(source, "from_model")
    used = LXLinearExpression().add_join(
        production,
        lambda r: r.hours_required,
        over=source.rows(tables.ProductionRecipe),
        variable_key=lambda r: r.product_id,
        row_key=lambda r: r.machine_id,
    )
    hours = (
        LXConstraint[tables.Machine]("hours")
        .expression(used)
        .le()
        .rhs(lambda m: m.available_hours)
        .from_model(*source.model(tables.Machine))
        .indexed_by(lambda m: m.id)
    )
    model = LXModel("m").add_variable(production).add_constraint(hours)
    model.maximize(LXLinearExpression().add_term(production, lambda p: p.profit_per_unit))
    machine = source.rows(tables.Machine)[1]
    with source.closed():
        solution = LXOptimizer().solve(model)
        # hours alone limit: 10 chairs and 5 tables are due, the rest of assembly goes into desks, 200 / 3.5 an hour
        assert solution.objective_value == pytest.approx(450 + 600 + (100 - 10 - 12.5) / 3.5 * 200)
        loaded = load_model(dump_model(model))
        assert LXOptimizer().solve(loaded).objective_value == solution.objective_value
    machine = source.rows(tables.Machine)[1]
    assert solution.duals["hours"][machine] == pytest.approx(200 / 3.5)


def test_a_timetable_is_read_through_a_session() -> None:
    with source_named("sqlalchemy") as source:
        assert isinstance(source, SqlAlchemySource)
        session = source.session
        session.add_all(
            [Lecture(id=number, teacher="Ada", students=students) for number, students in enumerate((30, 80), 1)]
        )
        session.add_all([TimeSlot(id=number, day=day) for number, day in enumerate(("Mon", "Tue"), 1)])
        session.add_all([Classroom(id=number, seats=seats) for number, seats in enumerate((40, 100), 1)])
        session.commit()
        assignment = (
            LXVariable[tuple[Lecture, TimeSlot, Classroom], int]("assignment")
            .binary()
            .indexed_by_product(
                LXIndexDimension(Lecture, lambda lecture: lecture.id).from_model(session),
                LXIndexDimension(TimeSlot, lambda slot: slot.id).from_model(session),
                LXIndexDimension(Classroom, lambda room: room.id).from_model(session),
                where=lambda lecture, slot, room: lecture.students <= room.seats,
            )
        )
        once = LXConstraint[Lecture]("once").indexed_by(lambda lecture: lecture.id).from_model(session)
        once.expression(LXLinearExpression().add_join(assignment, row_key=lambda lecture, slot, room: lecture))
        busy = LXConstraint[TimeSlot]("busy").indexed_by(lambda slot: slot.id).from_model(session)
        busy.expression(LXLinearExpression().add_join(assignment, row_key=lambda lecture, slot, room: slot))
        model = LXModel("timetable").add_variable(assignment).add_constraint(once.eq().rhs(1), busy.le().rhs(1))
        seats = LXLinearExpression().add_term(assignment, lambda lecture, slot, room: slot.id * room.seats)
        model.minimize(seats)
        with source.closed():
            for made in (model, pickle.loads(pickle.dumps(model))):
                chosen = LXOptimizer().solve(made).variables["assignment"]
                assert [key for key, value in chosen.items() if value > 0.5] == [(1, 2, 1), (2, 1, 2)]
        lecture, slot, room = (session.get(table, 1) for table in (Lecture, TimeSlot, Classroom))
        assert chosen[lecture, slot, room] == 0
