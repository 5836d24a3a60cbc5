"""The furniture workshop in Django's database and in one of SQLAlchemy, behind the few calls that differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from sqlalchemy import event
from sqlalchemy.orm import Session, joinedload

from planning import models
from planning.lx import LXConstraint, LXLinearExpression, LXModel, LXVariable
from tests.factories import make_furniture, make_run
from tests.lx import guide_tables


class DjangoSource:
    """Rows of this project's tables."""

    tables: Any = models
    session = None

    def __init__(self) -> None:
        self.plant = make_furniture()

    def model(self, model: Any) -> tuple[Any, ...]:
        """Return what `from_model` takes."""
        return (model,)

    def rows(self, model: Any) -> Any:
        return model.objects.order_by("id")

    def products_with_recipes(self) -> Any:
        return list(models.Product.objects.prefetch_related("production_recipes"))

    def recipes_of(self, product: Any) -> Any:
        return product.production_recipes.all()

    def save_schedule(self, made: list[tuple[Any, float]]) -> list[float]:
        run = make_run(self.plant)
        models.Production.objects.bulk_create(
            models.Production(run=run, product=product.name, route="", period="1", quantity=quantity, setup=False)
            for product, quantity in made
        )
        return list(models.Production.objects.filter(run=run).values_list("quantity", flat=True))

    def hours_checker(self) -> Callable[[int, int], float]:
        held = models.ProductionRecipe.objects.values_list("product_id", "machine_id", "hours_required")
        hours = {(product, machine): needed for product, machine, needed in held}

        def get_hours(product_id: int, machine_id: int) -> float:
            return hours.get((product_id, machine_id), 0.0)

        return get_hours

    def material_checker(self) -> Callable[[int, int], float]:
        held = models.MaterialRequirement.objects.values_list("product_id", "material_id", "quantity_required")
        quantities = {(product, material): needed for product, material, needed in held}

        def get_material(product_id: int, material_id: int) -> float:
            return quantities.get((product_id, material_id), 0.0)

        return get_material

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Let every query fail."""
        with connection.execute_wrapper(lambda *args: pytest.fail("a query")):
            yield


class SqlAlchemySource:
    """Rows of a database in memory, through one session."""

    tables: Any = guide_tables

    def __init__(self) -> None:
        self.engine = guide_tables.init_database()
        self.session: Session = guide_tables.get_session(self.engine)
        guide_tables.populate(self.session)

    def model(self, model: Any) -> tuple[Any, ...]:
        return model, self.session

    def rows(self, model: Any) -> Any:
        return self.session.query(model).order_by(model.id)

    def products_with_recipes(self) -> Any:
        wanted = joinedload(guide_tables.Product.machine_requirements), joinedload(guide_tables.Product.materials)
        return self.session.query(guide_tables.Product).options(*wanted).all()

    def recipes_of(self, product: Any) -> Any:
        return product.machine_requirements

    def save_schedule(self, made: list[tuple[Any, float]]) -> list[float]:
        self.session.query(guide_tables.ProductionSchedule).delete()
        self.session.add_all(
            guide_tables.ProductionSchedule(
                product_id=product.id, quantity=quantity, profit_contribution=quantity * product.profit_per_unit
            )
            for product, quantity in made
        )
        self.session.commit()
        return [row.quantity for row in self.session.query(guide_tables.ProductionSchedule)]

    def hours_checker(self) -> Callable[[int, int], float]:
        return guide_tables.create_cached_machine_hours_checker(self.session)

    def material_checker(self) -> Callable[[int, int], float]:
        return guide_tables.create_cached_material_requirement_checker(self.session)

    @contextmanager
    def closed(self) -> Iterator[None]:
        def refuse(*args: Any) -> None:
            pytest.fail("a query")

        self.session.close()
        event.listen(self.engine, "before_cursor_execute", refuse)
        yield
        event.remove(self.engine, "before_cursor_execute", refuse)


Source = DjangoSource | SqlAlchemySource


@contextmanager
def source_named(name: str) -> Iterator[Source]:
    """Give a filled database, and close it afterwards."""
    if name == "django":
        yield DjangoSource()
        return
    source = SqlAlchemySource()
    yield source
    source.session.close()
    source.engine.dispose()


def workshop_model(source: Source, production: LXVariable[Any, float] | None = None) -> LXModel:
    """Return the workshop's model as the guides write it: a constraint per machine and per material, in loops."""
    tables = source.tables
    get_hours, get_material = source.hours_checker(), source.material_checker()
    if production is None:
        production = (
            LXVariable[Any, float]("production")
            .continuous()
            .bounds(lower=lambda p: p.min_demand, upper=lambda p: p.max_demand)
            .indexed_by(lambda p: p.id)
            .from_model(*source.model(tables.Product))
        )
    model = LXModel("production_planning_orm")
    model.add_variable(production)
    for machine in source.rows(tables.Machine):
        expr = LXLinearExpression().add_multi_term(production, coeff=lambda p, m=machine: get_hours(p.id, m.id))
        model.add_constraint(LXConstraint(f"machine_{machine.id}").expression(expr).le().rhs(machine.available_hours))
    for material in source.rows(tables.RawMaterial):
        expr = LXLinearExpression().add_multi_term(production, coeff=lambda p, m=material: get_material(p.id, m.id))
        model.add_constraint(
            LXConstraint(f"material_{material.id}").expression(expr).le().rhs(material.available_quantity)
        )
    return model.maximize(LXLinearExpression().add_term(production, coeff=lambda p: p.profit_per_unit))
