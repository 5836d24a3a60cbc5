"""Commands as processes: exit codes, interrupts, and what a broken site says."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from django.contrib.auth.hashers import check_password

from tests.management.conftest import Shell
from tests.site_databases import Database, Databases

SAMPLE = Path(__file__).parents[1] / "plants" / "lumix_step2_furniture"
HARD = "from tests.runs.rich_plant import make_hard; make_hard()"


def filled(databases: Databases, migrated: Database, *arguments: str) -> Database:
    """Return a migrated database after a command."""
    database = databases.new(copy_of=migrated)
    assert Shell(database).run(*arguments).returncode == 0
    return database


@pytest.fixture(scope="session")
def with_furniture(databases: Databases, migrated: Database) -> Database:
    return filled(databases, migrated, "import_plan", str(SAMPLE))


@pytest.fixture(scope="session")
def with_hard(databases: Databases, migrated: Database) -> Database:
    return filled(databases, migrated, "shell", "--no-imports", "-c", HARD)


@pytest.fixture
def furniture(databases: Databases, with_furniture: Database) -> Shell:
    """Return a site with the furniture plant."""
    return Shell(databases.new(copy_of=with_furniture))


@pytest.fixture
def hard(databases: Databases, with_hard: Database) -> Shell:
    """Return a site with a plant that keeps a solver busy for minutes."""
    return Shell(databases.new(copy_of=with_hard))


class TestSolvePlan:
    def test_standard_output_holds_one_json_object(self, furniture: Shell) -> None:
        finished = furniture.run("solve_plan", "--format", "json")
        assert (finished.returncode, finished.stderr) == (0, "")
        assert json.loads(finished.stdout)["status"] == "optimal"

    def test_bad_input_exits_with_2(self, furniture: Shell) -> None:
        finished = furniture.run("solve_plan", "--plant", "Nowhere")
        assert finished.returncode == 2
        assert "Did you mean" in finished.stderr

    @pytest.mark.parametrize("option", ["--time-limit=soon", "--format=xml", "--colour=red"])
    def test_an_option_that_is_none_exits_with_2(self, option: str, site: Shell) -> None:
        assert site.run("solve_plan", option).returncode == 2

    def test_a_stream_without_unicode_gets_all_the_same(self, furniture: Shell) -> None:
        table = furniture.run("solve_plan", PYTHONIOENCODING="ascii")
        assert (table.returncode, table.stderr) == (0, "")
        assert "Profit" in table.stdout
        shown = furniture.run("solve_plan", "--format", "json", PYTHONIOENCODING="ascii")
        assert json.loads(shown.stdout)["status"] == "optimal"

    def test_a_reader_that_went_away_is_no_trouble(self, furniture: Shell) -> None:
        process = furniture.start("solve_plan")
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read()
        process.stderr.close()
        process.wait(60)
        assert "Traceback" not in said


class TestBrokenSites:
    def test_a_fault_while_writing_back_is_said_in_words(self, furniture: Shell) -> None:
        furniture.ask("ALTER TABLE planning_utilization RENAME COLUMN used TO taken")
        finished = furniture.run("solve_plan")
        assert finished.returncode == 1
        assert re.search(r'column (named )?"?used', finished.stdout + finished.stderr)
        assert furniture.ask("SELECT state FROM planning_run") == ["failed"]
        assert furniture.ask("SELECT count(*) FROM planning_productbalance") == [0]
        assert (
            "Traceback"
            in subprocess.run(
                furniture.command("solve_plan", "--traceback"),
                env=furniture.variables,
                capture_output=True,
                text=True,
                check=False,
            ).stderr
        )

    def test_a_database_that_is_not_migrated(self, shell: Shell) -> None:
        for form in ("table", "json"):
            finished = shell.run("solve_plan", "--format", form)
            assert (finished.returncode, finished.stdout) == (1, "")
            assert "migrate" in finished.stderr

    def test_a_folder_that_is_not_there(self, shell: Shell) -> None:
        finished = shell.run("solve_plan", DATABASE_URL="sqlite:////there/is/no/folder/site.sqlite3")
        assert finished.returncode == 1
        assert "unable to open database file" in finished.stderr

    def test_a_file_that_is_no_database(self, shell: Shell, tmp_path: Path) -> None:
        letter = tmp_path / "letter.sqlite3"
        letter.write_text("This is a letter, and no database." * 100)
        finished = shell.run("solve_plan", DATABASE_URL=f"sqlite:///{letter}")
        assert finished.returncode == 1
        assert "not a database" in finished.stderr

    def test_a_server_that_is_not_there(self, shell: Shell) -> None:
        finished = shell.run(
            "solve_plan", DATABASE_URL="postgres://planner:secret@127.0.0.1:1/planner", SECRET_KEY="x" * 50
        )
        assert finished.returncode == 1
        assert "secret" not in finished.stderr


class TestCtrlC:
    def interrupted(self, site: Shell, *options: str, after: float = 0) -> tuple[int, str, str]:
        """Interrupt solve_plan once its run is being solved."""
        process = site.start("solve_plan", "--time-limit", "100", *options)
        self.wait_until_running(site, process)
        time.sleep(after)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    @staticmethod
    def wait_until_running(site: Shell, process: subprocess.Popen[str]) -> None:
        for _ in range(600):
            if site.ask("SELECT state FROM planning_run ORDER BY id LIMIT 1") == ["running"]:
                return
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        raise AssertionError("The run never began.")

    def test_the_best_plan_is_kept(self, hard: Shell) -> None:
        code, out, err = self.interrupted(hard, "--format", "json", after=1.5)
        shown = json.loads(out)
        assert code == 130
        assert (shown["status"], shown["objective"] > 0) == ("feasible", True)
        assert "Interrupted" in err
        assert "best plan so far was kept" in err
        assert "Traceback" not in err
        run = "SELECT state, objective, plan_checked FROM planning_run"
        assert hard.ask(run) == [("stopped", shown["objective"], 1)]
        assert hard.ask("SELECT count(*) FROM planning_production") == [len(shown["production"])]

    def test_of_several_scenarios_those_that_wait_end_at_once(self, hard: Shell) -> None:
        hard.ask(
            "INSERT INTO planning_scenario (plant_id, name, description, goal_mode) SELECT id, 'Next', '', '' "
            "FROM planning_plant"
        )
        code, out, err = self.interrupted(hard, "--scenario", "Baseline", "--scenario", "Next", after=1)
        assert (code, "Traceback" in err) == (130, False)
        assert "Profit" in out
        (first, best), second = hard.ask("SELECT state, objective FROM planning_run ORDER BY id")
        assert (first, best > 0, second) == ("stopped", True, ("stopped", None))
        assert "before it began" in err

    def test_before_there_is_a_run(self, hard: Shell) -> None:
        process = hard.start("solve_plan", "--time-limit", "100")
        time.sleep(0.15)  # while Python starts
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode != 0
        assert hard.ask("SELECT state FROM planning_run WHERE state IN ('queued', 'running', 'stopping')") == []


class TestDemo:
    def test_twice_does_no_harm_and_shows_the_password_once(self, shell: Shell) -> None:
        first = shell.run("demo")
        assert (first.returncode, first.stderr) == (0, "")
        assert "Profit" in first.stdout
        (password,) = [
            line.split("password ")[1].split()[0] for line in first.stdout.splitlines() if "shown only" in line
        ]
        assert check_password(password, shell.ask("SELECT password FROM auth_user")[0])
        before = shell.ask("SELECT name FROM planning_plant UNION ALL SELECT name FROM planning_product")
        second = shell.run("demo")
        assert second.returncode == 0
        assert password not in second.stdout
        assert "shown the first time" in second.stdout
        assert shell.ask("SELECT name FROM planning_plant UNION ALL SELECT name FROM planning_product") == before
        assert shell.ask("SELECT state FROM planning_run") == ["solved", "solved"]
        assert shell.ask("SELECT username FROM auth_user") == ["planner"]

    def test_what_a_planner_changed_stays(self, shell: Shell) -> None:
        shell.run("demo")
        shell.ask("UPDATE planning_product SET final_inventory = 7 WHERE name = 'Chair'")
        second = shell.run("demo")
        assert second.returncode == 0
        assert "products Chair final_inventory" in second.stdout
        assert shell.ask("SELECT final_inventory FROM planning_product WHERE name = 'Chair'") == [7]

    def test_a_site_for_others_gets_no_login(self, shell: Shell) -> None:
        finished = shell.run("demo", ALLOWED_HOSTS="planner.example.org", SECRET_KEY="x" * 50, DEBUG="0")
        assert finished.returncode == 0
        assert "createsuperuser" in finished.stdout
        assert "shown only now" not in finished.stdout
