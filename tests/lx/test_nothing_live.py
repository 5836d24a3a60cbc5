"""What is detached holds nothing that could make a query: followed to the last object, and loaded without an ORM."""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, joinedload

from planning.lx import LXLinearExpression, LXModel, LXVariable, detach_orm_object, materialize_and_detach_list
from planning.models import Machine, Plant, Product, ProductionRecipe
from tests.factories import make_furniture
from tests.lx import guide_tables

PROJECT = Path(__file__).resolve().parents[2]
LIVE = ("django", "sqlalchemy", "sqlite3", "psycopg", "planning.models", "tests.lx.guide_tables")


def reached(*starts: Any) -> Iterator[Any]:
    """Yield every object that the garbage collector finds from `starts` on; of classes and modules nothing more."""
    waiting, seen = list(starts), set(map(id, starts))
    while waiting:
        held = waiting.pop()
        yield held
        parts = [] if isinstance(held, (type, types.ModuleType)) else gc.get_referents(held)
        waiting += [part for part in parts if id(part) not in seen]
        seen.update(map(id, parts))


def live(*starts: Any) -> list[Any]:
    """Return what of all that is reached belongs to an ORM or a database."""
    kinds = ((found, found if isinstance(found, type) else type(found)) for found in reached(*starts))
    return [found for found, kind in kinds if kind.__module__.startswith(LIVE)]


def test_the_search_finds_what_is_live() -> None:
    assert live({"a": [Machine(name="Saw")]})


@pytest.mark.django_db
class TestOfDjango:
    def test_rows_lead_to_nothing_live(self) -> None:
        make_furniture()
        _ = Product.objects.get(name="Chair").plant
        memo: dict[Any, Any] = {}
        everything = Product.objects.select_related("plant").prefetch_related("production_recipes__machine")
        rows = materialize_and_detach_list(everything, memo)
        recipe = detach_orm_object(ProductionRecipe.objects.select_related("product__plant").first(), memo)
        plants = materialize_and_detach_list(Plant.objects.all(), memo)
        assert recipe.product is rows[0]
        assert rows[0].plant is plants[0]
        assert live(rows, list(rows), recipe, plants) == []

    def test_a_model_leads_to_nothing_live(self) -> None:
        make_furniture()
        saw = Machine.objects.first()
        make = LXVariable[Any, float]("make").bounds(upper=lambda p: saw.available_hours).from_model(Product)
        model = LXModel("m").add_variable(make)
        model.maximize(LXLinearExpression().add_term(make, lambda p, m=saw: p.profit_per_unit * m.available_hours))
        assert (
            live(model.tables, make.rows, make.upper.__closure__, model.objective.terms[0].coefficient.__defaults__)
            == []
        )

    def test_rows_are_loaded_where_there_is_no_orm(self, tmp_path: Path) -> None:
        make_furniture()
        rows = materialize_and_detach_list(ProductionRecipe.objects.select_related("product__plant").order_by("id"))
        (tmp_path / "rows").write_bytes(pickle.dumps(rows[0]))
        code = (
            "import sys, pickle\n"
            "for name in ('django', 'sqlalchemy', 'sqlite3', 'psycopg'): sys.modules[name] = None\n"
            f"row = pickle.load(open({str(tmp_path / 'rows')!r}, 'rb'))\n"
            "print(row.product.name, row.product.plant.name, row.hours_required, row.route)\n"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
        assert done.stdout.split("\n")[0] == "Chair Furniture Workshop 0.5 None"


def test_of_sqlalchemy_rows_lead_to_nothing_live() -> None:
    engine = create_engine("sqlite://")
    guide_tables.Base.metadata.create_all(engine)
    with Session(engine) as session:
        chair = guide_tables.Product(name="Chair", profit_per_unit=45.0, max_demand=10.0)
        chair.machine_requirements.append(guide_tables.ProductionRecipe(machine_id=1, hours_required=0.5))
        session.add(chair)
        session.commit()
        memo: dict[Any, Any] = {}
        query = session.query(guide_tables.Product).options(joinedload(guide_tables.Product.machine_requirements))
        rows = materialize_and_detach_list(query, memo)
        assert rows[0].machine_requirements[0].hours_required == 0.5
        assert live(rows, list(rows), rows[0].machine_requirements) == []
    engine.dispose()
