"""The house keeps its order: rooms import downwards only, and the modelling layer stands alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def run_python(code: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run `code` in a fresh interpreter in `cwd`."""
    return subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Return a copy of the packages and their contracts, to be spoilt."""
    for package in ("planning", "planner_site"):
        shutil.copytree(PROJECT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    return tmp_path


def broken_contracts(house: Path) -> str:
    """Return what the import linter says about a house, blank when it keeps its contracts."""
    result = run_python(LINT_IMPORTS, house)
    return "" if result.returncode == 0 else result.stdout + result.stderr


def add_line(path: Path, line: str) -> None:
    path.write_text(f"{path.read_text()}\n{line}\n")


class TestContracts:
    def test_the_house_as_it_is_keeps_them(self, house: Path) -> None:
        assert broken_contracts(house) == ""

    def test_a_stray_module_breaks_them(self, house: Path) -> None:
        (house / "planning" / "utils.py").write_text('"""Whatever."""\n')
        assert "planning.utils" in broken_contracts(house)

    @pytest.mark.parametrize(
        ("room", "imported"),
        [
            ("runs", "planning.insight"),
            ("insight", "planning.admin"),
            ("formulation", "planning.runs"),
            ("formulation", "planning.exchange"),
            ("exchange", "planning.formulation"),
            ("snapshot", "planning.formulation"),
            ("models", "planning.snapshot"),
            ("models", "planning.lx"),
            ("admin", "planning.management"),
        ],
    )
    def test_an_upward_or_sideways_import_breaks_them(self, house: Path, room: str, imported: str) -> None:
        add_line(house / "planning" / room / "__init__.py", f"import {imported}")
        said = broken_contracts(house)
        assert f"planning.{room}" in said
        assert imported in said

    @pytest.mark.parametrize(
        "imported", ["django.db", "django_rq", "rq", "redis", "sqlalchemy", "planning.models", "planner_site.settings"]
    )
    def test_the_modelling_layer_imports_nothing_of_the_site(self, house: Path, imported: str) -> None:
        add_line(house / "planning" / "lx" / "solvers" / "__init__.py", f"def late():\n    import {imported}")
        assert imported.split(".", maxsplit=1)[0] in broken_contracts(house)

    def test_solvers_know_no_analysis(self, house: Path) -> None:
        add_line(house / "planning" / "lx" / "solvers" / "__init__.py", "import planning.lx.analysis")
        assert "planning.lx.solvers is not allowed to import planning.lx.analysis" in broken_contracts(house)

    def test_the_core_knows_no_solvers(self, house: Path) -> None:
        (house / "planning" / "lx" / "model.py").write_text("import planning.lx.solvers\n")
        assert "planning.lx.model is not allowed to import planning.lx.solvers" in broken_contracts(house)

    def test_a_stray_module_in_the_modelling_layer_breaks_them(self, house: Path) -> None:
        (house / "planning" / "lx" / "misc.py").write_text('"""Whatever."""\n')
        assert "misc" in broken_contracts(house)

    @pytest.mark.parametrize("room", ["snapshot", "formulation", "runs", "insight"])
    def test_rooms_use_public_names_of_the_modelling_layer(self, house: Path, room: str) -> None:
        add_line(house / "planning" / room / "__init__.py", "from planning.lx.solvers import highs")
        assert f"planning.{room}" in broken_contracts(house)

    def test_settings_are_read_through_django(self, house: Path) -> None:
        add_line(house / "planning" / "runs" / "__init__.py", "from planner_site import settings")
        assert "planning.runs -> planner_site.settings" in broken_contracts(house)


class TestTheModellingLayerAlone:
    def test_it_imports_where_django_is_missing(self) -> None:
        blocked = ("django", "django_rq", "rq", "redis", "sqlalchemy")
        code = f"import sys\nfor name in {blocked}: sys.modules[name] = None\nimport planning.lx"
        result = run_python(code, PROJECT)
        assert result.returncode == 0, result.stderr

    def test_every_module_of_it_imports_where_django_is_missing(self) -> None:
        code = (
            "import sys, importlib, pkgutil\n"
            "for name in ('django', 'django_rq', 'rq', 'redis', 'sqlalchemy'): sys.modules[name] = None\n"
            "import planning.lx\n"
            "for found in pkgutil.walk_packages(planning.lx.__path__, 'planning.lx.'):\n"
            "    importlib.import_module(found.name)\n"
        )
        result = run_python(code, PROJECT)
        assert result.returncode == 0, result.stderr

    def test_importing_planning_loads_no_django(self) -> None:
        code = "import sys, planning\nprint([name for name in sys.modules if name.split('.')[0] == 'django'])"
        result = run_python(code, PROJECT)
        assert result.stdout.strip() == "[]", result.stderr

    def test_planning_itself_holds_no_code(self) -> None:
        assert (PROJECT / "planning" / "__init__.py").read_text().strip() == ""
