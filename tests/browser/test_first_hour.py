"""A planner's first hour on a site of its own: gunicorn, a real runner, and everything through a browser.

She starts with nothing, loads the sample, edits, checks, plans, uploads a plant that keeps a solver busy, watches
it, stops it, and an approver takes her plan. Then others come: a viewer, and a second planner at the same time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE, Watch
from tests.management.conftest import Shell, databases, migrated  # noqa: F401 - fixtures
from tests.private_redis import PrivateRedis
from tests.site_databases import Databases
from tests.site_processes import Site, running_site

PEOPLE = """
from django.contrib.auth.models import Group, User
for name, role in [("anna", "Planner"), ("ben", "Planner"), ("carla", "Approver"), ("vera", "Viewer")]:
    User.objects.create_user(name, password="secret", is_staff=True).groups.add(Group.objects.get(name=role))
from django.core.management import call_command
from tests.runs.rich_plant import make_hard
hard = make_hard()
call_command("export_plan", hard.name, {workbook!r})
hard.delete()
"""


@pytest.fixture(params=["local", "queue"])
def site(
    request: pytest.FixtureRequest,
    databases: Databases,  # noqa: F811
    migrated: object,  # noqa: F811
    tmp_path: Path,
) -> Iterator[Site]:
    """Return a served site with people and without a plant, on child processes or on a queue with a worker."""
    database = databases.new(copy_of=migrated)
    made = Shell(database).run("shell", "--no-imports", "-c", PEOPLE.format(workbook=str(tmp_path / "hard.xlsx")))
    assert made.returncode == 0, made.stderr
    if request.param == "local":
        with running_site(database, tmp_path) as site:
            site.serve()
            yield site
        return
    redis = PrivateRedis()
    with redis.running(), running_site(database, tmp_path, REDIS_URL=redis.url) as site:
        site.serve()
        site.manage("rqworker", "short", "long")
        yield site


@contextmanager
def at_work(browser: Browser, site: Site, name: str) -> Iterator[Page]:
    """Let somebody log in, in a browser of their own; their pages may neither complain nor ask elsewhere."""
    home = f"http://127.0.0.1:{site.port}"
    context = browser.new_context(base_url=home, viewport={"width": 1280, "height": 850})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    watch = Watch(page, home)
    page.goto("/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", "secret")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{home}/admin/")
    yield page
    context.close()
    assert watch.trouble == [], name


def button(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def link(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).first.click()


def run_number(page: Page) -> str:
    """Return the number of the run whose page is shown."""
    page.wait_for_url("**/planning/run/*/change/")
    found = re.search(r"/run/(\d+)/", page.url)
    assert found
    return found[1]


def test_from_an_empty_site_to_an_approved_plan(browser: Browser, site: Site, tmp_path: Path) -> None:
    with at_work(browser, site, "anna") as anna:
        plans_the_sample(anna)
        plans_a_scenario(anna)
        best = watches_and_stops_a_long_run(anna, tmp_path / "hard.xlsx")
        with anna.expect_download() as download:
            link(anna, "All tables as a workbook")
        assert download.value.path().stat().st_size > 5_000

        with at_work(browser, site, "carla") as carla:
            carla.goto(f"/admin/planning/run/{best}/change/")
            carla.get_by_label("Why is this the plan of", exact=False).fill("It is good enough for this week.")
            button(carla, "Approve this plan")
            expect(carla.get_by_text("It is good enough for this week.")).to_be_visible()

        with at_work(browser, site, "vera") as vera:
            may_only_look(vera, best)

        with at_work(browser, site, "ben") as ben:
            is_shown_the_run_under_way(anna, ben)


def plans_the_sample(page: Page) -> None:
    """Load the sample, give it more wood, look at its health, run it, and read the plan."""
    button(page, "Load the sample plant")
    expect(page.get_by_text("Furniture").first).to_be_visible()
    page.goto("/admin/planning/rawmaterial/")
    link(page, "Wood")
    page.fill("[name=available_quantity]", "600")
    button(page, "Save")
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    page.goto("/admin/")
    link(page, "Check data")
    expect(page.get_by_text("A run is possible", exact=False).or_(page.get_by_text("Nothing is wrong"))).to_be_visible()
    page.goto("/admin/")
    link(page, "Run Baseline")
    page.wait_for_function("document.activeElement?.form")
    page.keyboard.press("Enter")
    run_number(page)
    expect(page.get_by_text("plan checked")).to_be_visible()
    expect(page.get_by_role("region", name="Plan", exact=True).or_(page.locator("#plan"))).to_contain_text("Chair")


def plans_a_scenario(page: Page) -> None:
    """Ask what half of the wood would mean."""
    page.goto("/admin/planning/scenario/add/")
    page.fill("[name=name]", "Half the wood")
    button(page, "Save")
    button(page, "Add a change")
    row = page.locator("[data-change]").first
    row.locator("[name$=-table]").select_option("raw_materials")
    row.locator("[name$=-row]").fill("Wood")
    row.locator("[name$=-field]").select_option("available_quantity")
    row.locator("[name$=-operation]").select_option("multiply")
    row.locator("[name$=-value]").fill("0.5")
    button(page, "Check")
    expect(page.get_by_role("region", name="Base and effective values")).to_contain_text("300")
    button(page, "Save")
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    page.goto("/admin/planning/scenario/")
    page.locator("#result_list").get_by_role("link", name="Half the wood", exact=True).click()
    page.get_by_role("link", name="Run scenario").click()
    button(page, "Run")
    run_number(page)
    expect(page.locator("[data-run-state]")).to_have_count(0)


def watches_and_stops_a_long_run(page: Page, workbook: Path) -> str:
    """Upload a workbook that is none, then one of a plant that takes minutes; stop its run once it has a plan."""
    page.goto("/admin/planning/plant/upload/")
    junk = {"name": "plant.xlsx", "mimeType": "application/octet-stream", "buffer": b"This is no workbook."}
    page.locator("[type=file]").set_input_files(files=[junk])  # type: ignore[list-item]
    button(page, "See what it changes")
    expect(page.get_by_text("Nothing was imported", exact=False)).to_be_visible()
    link(page, "Upload again")
    page.locator("[type=file]").set_input_files(workbook)
    button(page, "See what it changes")
    button(page, "Import")
    page.goto("/admin/planning/scenario/?q=Baseline")
    page.get_by_role("row").filter(has_text="Hard").get_by_role("link", name="Baseline").first.click()
    page.get_by_role("link", name="Run scenario").click()
    page.fill("[name=gap]", "0")
    button(page, "Run")
    number = run_number(page)
    expect(page.locator("[data-run-chart] path.pl-best")).to_be_visible()
    page.reload()
    expect(page.locator("[data-run-chart] path.pl-bound")).to_be_visible()
    page.locator("[data-run-stop]").click()
    expect(page.get_by_text("plan checked")).to_be_visible()
    expect(page.get_by_text("Stopped", exact=True).first).to_be_visible()
    return number


def may_only_look(page: Page, number: str) -> None:
    page.goto(f"/admin/planning/run/{number}/change/")
    expect(page.get_by_text("plan checked")).to_be_visible()
    for name in ("Run again", "Delete run", "Approve this plan", "Take the approval back"):
        expect(page.get_by_text(name, exact=True)).to_have_count(0)
    page.goto("/admin/planning/product/")
    link(page, "Chair")
    expect(page.get_by_role("button", name="Save", exact=True)).to_have_count(0)


def is_shown_the_run_under_way(anna: Page, ben: Page) -> None:
    """Two planners run one scenario at once: the second is shown the first's run."""
    for page in (anna, ben):
        page.goto("/admin/planning/scenario/?q=Baseline")
        page.get_by_role("row").filter(has_text="Hard").get_by_role("link", name="Baseline").first.click()
        page.get_by_role("link", name="Run scenario").click()
        button(page, "Run")
    number = run_number(anna)
    assert run_number(ben) == number
    expect(ben.get_by_text("no second one was started", exact=False)).to_be_visible()
    anna.locator("[data-run-stop]").click()
    expect(anna.locator("[data-run-state]")).to_have_count(0)
