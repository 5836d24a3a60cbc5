"""Export then import gives the same plant, whichever way."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planning.exchange import export_plan, import_plan
from planning.exchange.plan_rows import plan_tables
from planning.models import BASELINE, Plant, Product, Scenario, ScenarioChange

CASES = sorted(path for path in (Path(__file__).parent.parent / "plants").iterdir() if path.is_dir())


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.django_db
@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_published_plants_come_back_equal(case, tmp_path):
    plant = import_plan(case).plant
    before = plan_tables(plant)
    export_plan(plant, tmp_path / "first")
    export_plan(plant, tmp_path / "book.xlsx")
    assert import_plan(tmp_path / "book.xlsx", replace=True).plant == plant
    assert plan_tables(plant) == before
    export_plan(plant, tmp_path / "second")
    assert files(tmp_path / "second") == files(tmp_path / "first")
    plant.delete()
    again = import_plan(tmp_path / "second").plant
    assert plan_tables(again) == before


def writable(character: str) -> bool:
    return character not in "\r"


texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=30)
awkward = st.sampled_from(
    [
        "_x000D_",
        "_x005F_",
        "x005F_",
        "=cmd|x",
        "'",
        "''=",
        "-1",
        "+",
        "@",
        "1.0",
        "TRUE",
        "#REF!",
        "\ufffe",
        "a,b",
        '"',
        "1e5",
        "2026-01-05",
    ]
)
names = (
    st.one_of(texts, awkward, st.tuples(awkward, texts).map("".join))
    .map(str.strip)
    .filter(lambda name: name and name != "*" and " / " not in name)
)
descriptions = st.one_of(texts, awkward, st.lists(texts, max_size=3).map("\n".join), st.just("a  b\n\n\tc")).map(
    str.strip
)
amounts = st.floats(0, 999_999_999_999_999, allow_subnormal=True).map(lambda number: number + 0.0)


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    plant_name=names,
    products=st.lists(st.tuples(names, amounts, amounts, st.booleans()), unique_by=lambda row: row[0], max_size=5),
    scenario=names.filter(lambda name: name != BASELINE),
    description=descriptions,
    value=st.none() | st.floats(-9e14, 9e14),
)
def test_any_names_texts_and_numbers_come_back_equal(plant_name, products, scenario, description, value):
    Plant.objects.all().delete()
    plant = Plant.objects.create(name=plant_name)
    Scenario.objects.create(plant=plant, name=BASELINE, description=description)
    for name, profit, stock, active in products:
        Product.objects.create(plant=plant, name=name, profit_per_unit=-profit, initial_inventory=stock, active=active)
    changed = Scenario.objects.create(plant=plant, name=scenario)
    ScenarioChange.objects.create(
        scenario=changed,
        table="products",
        row=products[0][0] if products else "*",
        field="max_demand",
        operation="set",
        value=value,
        note=description,
    )
    before = plan_tables(plant)
    with tempfile.TemporaryDirectory() as place:
        for path in (Path(place) / "out", Path(place) / "out.xlsx", Path(place) / "back"):
            export_plan(plant, path)
            import_plan(path, replace=True)
            assert plan_tables(plant) == before
        assert files(Path(place) / "out") == files(Path(place) / "back")
