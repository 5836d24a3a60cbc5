"""The doors for the shell: words, exit codes, no tracebacks."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from planning.models import Plant, Product

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.django_db
def test_import_prints_the_rows_by_table(folder):
    out = io.StringIO()
    call_command("import_plan", str(folder(products="name\nChair\nTable\n")), stdout=out)
    assert "products                        2" in out.getvalue()
    assert 'Imported "Workshop".' in out.getvalue()


@pytest.mark.django_db
def test_import_prints_each_fault_and_exits_with_2(folder):
    err = io.StringIO()
    with pytest.raises(CommandError, match=r"2 faults\. Nothing was imported\.") as caught:
        call_command("import_plan", str(folder(products="name,min_demand\nChair,x\nTable,y\n")), stderr=err)
    assert caught.value.returncode == 2
    assert err.getvalue().count("products, row") == 2
    assert not Plant.objects.exists()


@pytest.mark.django_db
def test_import_replaces_and_dry_runs(folder):
    call_command("import_plan", str(folder(products="name\nChair\n")), stdout=io.StringIO())
    out = io.StringIO()
    call_command("import_plan", str(folder(products="name\nTable\n")), "--replace", "--dry-run", stdout=out)
    assert "no faults" in out.getvalue()
    assert Product.objects.get().name == "Chair"
    call_command("import_plan", str(folder(products="name\nTable\n")), "--replace", stdout=out)
    assert Product.objects.get().name == "Table"


@pytest.mark.django_db
def test_export_names_plants_like_the_one_that_is_missing(folder, tmp_path):
    call_command("import_plan", str(folder()), stdout=io.StringIO())
    call_command("export_plan", "Workshop", str(tmp_path / "out.xlsx"), stdout=io.StringIO())
    for name in ("Workshp", "workshop", "\udce9", "a\0b", ""):
        with pytest.raises(CommandError, match='Did you mean "Workshop"') as caught:
            call_command("export_plan", name, str(tmp_path / "out"))
        assert caught.value.returncode == 2
    with pytest.raises(CommandError, match=r"can't be written|is a file") as caught:
        call_command("export_plan", "Workshop", str(tmp_path / "out.xlsx" / "x"))
    assert caught.value.returncode == 2


def manage(database: Path, *arguments: str | bytes, encoding: str = "utf-8") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{database}", "PYTHONIOENCODING": encoding}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_from_the_shell(folder, tmp_path):
    database = tmp_path / "shell.sqlite3"
    plan = folder(products="name,min_demand\nСтол,1\nChair,x\n")
    unmigrated = manage(database, "import_plan", str(folder(products="name\nСтол\n")))
    assert (unmigrated.returncode, "migrate" in unmigrated.stderr) == (1, True)
    assert manage(database, "migrate", "-v0").returncode == 0

    plan = folder(plant="name\nЗавод\n", products="name,min_demand\nСтол,x\n")
    wrong = manage(database, "import_plan", str(plan), encoding="ascii")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "products, row 2, column min_demand" in wrong.stderr
    plan = folder(plant="name\nЗавод\n", products="name\nСтол\n")
    right = manage(database, "import_plan", str(plan), encoding="ascii")
    assert (right.returncode, right.stderr) == (0, "")
    assert manage(database, "export_plan", "Завод", str(tmp_path / "out")).returncode == 0
    assert (tmp_path / "out" / "products.csv").read_text(encoding="utf-8").splitlines()[1].startswith("Стол,")

    for arguments in (["import_plan", "nothing"], ["import_plan", b"\xe9"], ["export_plan", b"\xe9", "out"]):
        failed = manage(database, *arguments, encoding="ascii")
        assert failed.returncode == 2
        assert "Traceback" not in failed.stderr
