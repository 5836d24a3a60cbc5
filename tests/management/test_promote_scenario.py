"""promote_scenario: shows what it does, does it, and refuses with exit code 2."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User

from planning.models import Plant, Scenario
from tests.factories import make_furniture
from tests.reference.commands import run_command

pytestmark = pytest.mark.django_db


@pytest.fixture
def plant() -> Plant:
    plant = make_furniture()
    scenario = Scenario.objects.create(plant=plant, name="More wood")
    scenario.scenario_changes.create(table="raw_materials", row="Wood", field="available_quantity", value=750.0)
    return plant


def promote(plant: Plant, *options: str, scenario: str = "More wood") -> tuple[int, str]:
    return run_command("promote_scenario", "--plant", plant.name, "--scenario", scenario, *options)


def wood(plant: Plant) -> float | None:
    return plant.raw_materials.get(name="Wood").available_quantity


def test_a_dry_run_shows_old_and_new_and_changes_nothing(plant: Plant) -> None:
    code, shown = promote(plant, "--dry-run")
    assert code == 0
    assert "raw_materials: Wood: available quantity 500 → 750" in shown
    assert "would change 1 value of Furniture Workshop" in shown
    assert wood(plant) == 500.0
    assert not LogEntry.objects.exists()


def test_it_promotes_in_the_name_of_a_user(plant: Plant) -> None:
    User.objects.create_user("ada")
    code, shown = promote(plant, "--user", "ada")
    assert (code, wood(plant)) == (0, 750.0)
    assert 'Promoted "More wood": 1 value' in shown
    assert {entry.user.username for entry in LogEntry.objects.all()} == {"ada"}


def test_what_can_not_be_promoted_is_refused(plant: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    Scenario.objects.get(name="More wood").scenario_changes.update(row="Wod")
    for options in ([], ["--dry-run"]):
        assert promote(plant, *options)[0] == 2
        said = capsys.readouterr().err
        assert "Did you mean: Wood" in said
        assert "Nothing was promoted" in said
    assert wood(plant) == 500.0


def test_unknown_names_are_refused_with_the_nearest(plant: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    assert promote(plant, scenario="More wod")[0] == 2
    assert 'Did you mean "More wood"' in capsys.readouterr().err
    assert run_command("promote_scenario", "--plant", "Furniture", "--scenario", "X")[0] == 2
    assert "There is no plant" in capsys.readouterr().err
    assert promote(plant, "--user", "nobody")[0] == 2
    assert 'There is no user "nobody"' in capsys.readouterr().err
    assert wood(plant) == 500.0
