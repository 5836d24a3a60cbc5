"""Models that are right, in every style: checked by mypy in its strict mode, never run."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, Float, Integer
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, scoped_session

from planning.lx import (
    LXChange,
    LXConstraint,
    LXIndexDimension,
    LXLinearExpression,
    LXModel,
    LXOptimizer,
    LXRecord,
    LXRows,
    LXScenario,
    LXScenarioAnalyzer,
    LXTable,
    LXVariable,
    LXWhatIfAnalyzer,
)
from planning.models import Machine, Product, ProductionRecipe


class Base(DeclarativeBase):
    pass


class Material(Base):
    __tablename__ = "materials"
    id: Mapped[int] = mapped_column(primary_key=True)
    quantity: Mapped[float | None]


class Old(Base):
    __tablename__ = "old"
    id = Column(Integer, primary_key=True)
    quantity = Column(Float)


@dataclass
class Lecture:
    id: int
    size: float


def get_hours(product_id: int, machine_id: int) -> float:
    return 1.0 * product_id * machine_id


def hours_of(product: Product) -> float:
    return 1.0


def variables(session: Session, scoped: scoped_session[Session], table: LXTable, rows: LXRows) -> None:
    make = (
        LXVariable[Product, float]("make")
        .continuous()
        .bounds(lower=0, upper=lambda p: p.max_demand)
        .indexed_by(lambda p: p.pk)
        .from_model(Product)
    )
    make.from_model(Product.objects).from_model(Product.objects.filter(name="Chair")).from_model()
    make.from_data([Product()]).from_data(table).from_data(rows).from_data(p for p in Product.objects.all())
    buy = LXVariable[Material, float]("buy").indexed_by(lambda m: m.id).from_model(session)
    buy.from_model(Material, session).from_model(session.query(Material)).from_model(scoped).integer()
    buy.bounds(upper=lambda m: m.quantity).integer(where=lambda m: m.quantity is not None)
    LXVariable[Old, float]("old").indexed_by(lambda o: o.id).from_model(session)
    LXVariable[LXRecord, float]("rows").bounds(upper=lambda r: r.anything).indexed_by(lambda r: r.name).from_data(rows)
    LXVariable("untyped").bounds(lower=lambda p: p.low, upper=lambda p: p.high).indexed_by(lambda p: p.name)


def captured(machine: Machine, lecture: Lecture) -> None:
    make = LXVariable[Product, float]("make").indexed_by(lambda p, m=machine: (p.pk, m.name))
    make.bounds(upper=lambda p, m=machine: m.available_hours)
    make.bounds(lower=lambda p: p.min_demand, upper=lambda p, m=machine: m.available_hours)
    make.bounds(lower=lambda p, m=machine: m.available_hours, upper=lambda p: p.max_demand)
    make.integer(where=lambda p, m=machine: m.available_hours > 3)
    expression = LXLinearExpression().add_multi_term(make, coeff=lambda p, m=machine: get_hours(p.pk, m.pk))
    expression.add_term(make, lambda p, held=lecture: held.size)
    expression.add_multi_term(make, lambda p, m=machine: m.available_hours, where=lambda p: p.whole_units)
    expression.add_multi_term(make, lambda p: p.profit_per_unit, where=lambda p, m=machine: m.name == "Saw")
    model = LXModel("m").add_variable(make)
    model.add_constraint(LXConstraint(f"m_{machine.pk}").expression(expression).le().rhs(machine.available_hours))


def expressions(make: LXVariable[Product, float], table: LXTable, rows: LXRows, lectures: list[Lecture]) -> None:
    LXLinearExpression().add_term(make, lambda p: p.profit_per_unit).add_term(make, 2).add_term(make)
    LXLinearExpression().add_term(make, -1.0, at=lambda m: m.product, skip_missing=True)
    LXLinearExpression().add_term(make, lambda m: m.hours, at=lambda m: m.product).add_constant(lambda m: m.hours)
    LXLinearExpression().add_multi_term(make, lambda p: p.profit_per_unit, where=lambda p: p.whole_units)
    LXLinearExpression().add_join(make, row_key=lambda p: p.name)
    LXLinearExpression().add_join(make, lambda p: p.profit_per_unit, row_key=lambda p: p.name)
    recipes = ProductionRecipe.objects.all()
    LXLinearExpression().add_join(
        make,
        lambda r: r.hours_required,
        over=recipes,
        variable_key=lambda r: r.product,
        row_key=lambda r: r.machine.name,
        where=lambda r: r.hours_required > 0,
    )
    LXLinearExpression().add_join(make, lambda r: r.hours_required, over=ProductionRecipe.objects)
    LXLinearExpression().add_join(make, lambda t: t.size, over=lectures, variable_key=lambda t: t.id)
    LXLinearExpression().add_join(make, lambda u: u.anything, over=table, row_key=lambda u: u.anything)
    LXLinearExpression().add_join(make, lambda u: u.anything, over=rows, row_key=lambda u: u.anything)
    LXLinearExpression().add_join(make, lambda u, f=2.0: u.anything * f, over=rows, row_key=lambda u, f=2: u.name)


def dimensions(session: Session) -> None:
    assignment = (
        LXVariable[tuple[Lecture, Material], int]("assignment")
        .indexed_by_product(
            LXIndexDimension(Lecture, lambda lecture: lecture.id).from_data([Lecture(1, 2.0)]),
            LXIndexDimension(Material, lambda material: material.id)
            .from_model(session)
            .where(lambda material: material.quantity is not None)
            .match(lambda material: material.id, lambda lecture: lecture.id),
            where=lambda lecture, material: lecture.size > 3,
        )
        .bounds(upper=lambda lecture, material: lecture.size)
        .integer(where=lambda lecture, material: lecture.size > 2)
    )
    LXLinearExpression().add_term(assignment, lambda lecture, material: lecture.size)
    LXLinearExpression().add_multi_term(assignment, 2.0, where=lambda lecture, material: lecture.size > 3)
    LXLinearExpression().add_join(assignment, lambda lecture, material: 2.0, row_key=lambda lecture, material: 1)


def constraints(make: LXVariable[Product, float], table: LXTable) -> float:
    hours = LXConstraint[Machine]("hours").indexed_by(lambda m: m.name).from_model(Machine)
    hours.expression(LXLinearExpression()).le().rhs(lambda m: m.available_hours).rhs(3)
    untyped = LXConstraint("untyped").indexed_by(lambda m: m.name).from_data(table).rhs(lambda m: m.hours)
    model = LXModel("m").add_variable(make).add_constraint(hours, untyped)
    solution = LXOptimizer().use_solver("highs").solve(model)
    return sum(solution.variables["make"][p] * hours_of(p) for p in make.get_instances())


def trials(model: LXModel) -> float:
    analyzer = LXWhatIfAnalyzer(model)
    found = analyzer.compare_changes([("hours", "relax", 1.0), LXChange.cost("make", percent=5, key="Chair")])
    values = [point.objective for point in analyzer.sensitivity_range("hours", 1, 5)]
    crisis = LXScenario[Product]("crisis").modify_constraint_rhs("hours", by=-5).modify_cost("make", to=3, key="Chair")
    scenarios = LXScenarioAnalyzer[Product](model, LXOptimizer()).add_scenarios(crisis)
    rows = LXScenarioAnalyzer(model).add_scenario(LXScenario("calm")).compare_scenarios()
    best = scenarios.get_best_scenario()
    return found[0].improvement + values[0] + rows[0].difference + len(best or "")
