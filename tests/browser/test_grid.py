"""Values by period in a browser: typed, pasted, undone, refused, mended and saved, and kept when the page is left."""

from __future__ import annotations

from django.contrib.admin.models import LogEntry
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from planning.models import Period, ProductPeriod
from tests.factories import make_furniture

READ = """texts => texts.map(([text, decimals, isPasted]) => {
  const found = window.plannerNumbers.read(text, decimals, isPasted);
  return found.fault ?? Number(found.value);
})"""


def values() -> list[tuple[str, str, float]]:
    rows = ProductPeriod.objects.order_by("product_id", "period__sequence")
    return list(rows.values_list("product__name", "period__name", "max_demand"))


def texts(rows: Locator, row: int) -> list[str]:
    return rows.nth(row).locator("td:not(.pl-own)").all_inner_texts()


def paste(page: Page, text: str) -> None:
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    page.keyboard.press("Control+v")


def test_a_block_is_typed_pasted_undone_refused_mended_and_saved(planner: Page) -> None:
    plant = make_furniture()
    weeks = [Period.objects.create(plant=plant, sequence=n, name=f"Week {n}") for n in (1, 2, 3)]
    chair = plant.products.get(name="Chair")
    planner.context.grant_permissions(["clipboard-read", "clipboard-write"])
    planner.goto(f"{reverse('admin:planning_productperiod_grid')}?plant={plant.pk}&field=max_demand")
    rows = planner.get_by_role("grid", name="Max demand by period").locator("tbody tr")
    count, said = planner.locator("[data-count]"), planner.locator("[data-said]")
    keys = planner.keyboard

    # Typed: Tab and Enter move on, arrows end what was typed, Escape takes it back.
    rows.nth(0).locator("td").nth(1).click()
    keys.type("1234.5")
    keys.press("Tab")
    keys.type("20")
    keys.press("Enter")
    keys.type("7")
    keys.press("Escape")
    assert texts(rows, 0) == ["1,234.5", "20", ""]
    assert texts(rows, 1) == ["", "", ""]
    expect(count).to_have_text("2 values are not saved yet")

    # Pasted: two rows and columns, of which one cell could be two numbers.
    paste(planner, "30\t1.234\r\n40,5\t\r\n")
    assert texts(rows, 1) == ["", "30", "1.234"]
    assert texts(rows, 2) == ["", "40.5", ""]
    expect(said).to_contain_text("1 of 4 pasted cells can't be read")
    expect(said).to_contain_text("“1.234” can be 1234 or 1.234.")
    planner.get_by_role("button", name="Save values").click()
    expect(said).to_contain_text("Nothing was saved")
    assert ProductPeriod.objects.count() == 0
    planner.locator("[data-decimals]").select_option("comma")
    assert texts(rows, 1) == ["", "30", "1,234"]

    # Undone and redone; filled down and blanked; copied within the table.
    rows.nth(1).locator("td").nth(2).click()
    for _ in range(2):
        keys.press("Control+z")
    assert texts(rows, 2) == ["", "", ""]
    for _ in range(2):
        keys.press("Control+y")
    rows.nth(1).locator("td").nth(2).click()
    keys.press("Shift+ArrowDown")
    keys.press("Control+d")
    assert texts(rows, 2) == ["", "30", ""]
    keys.press("Delete")
    assert (texts(rows, 1), texts(rows, 2)) == (["", "", "1,234"], ["", "", ""])
    rows.nth(0).locator("td").nth(1).click()
    keys.press("Shift+ArrowRight")
    keys.press("Control+c")
    rows.nth(2).locator("td").nth(1).click()
    keys.press("Control+v")
    assert texts(rows, 2) == ["1,234.5", "20", ""]

    # Refused by the server at its cell, together with what somebody else has done meanwhile; then mended.
    ProductPeriod.objects.create(product=chair, period=weeks[1], min_demand=3, max_demand=21)
    keys.press("ArrowRight")
    keys.press("ArrowRight")
    keys.type("-5")
    keys.press("Control+s")
    expect(said).to_contain_text("2 values can't be saved. Nothing was saved:")
    expect(said).to_contain_text("Chair, Week 2 The cell holds 21 now.")
    expect(said).to_contain_text("Desk, Week 3 -5 is negative.")
    expect(planner.locator("[data-bubble]")).to_contain_text("The cell holds 21 now")
    expect(planner.locator("td[aria-invalid=true]")).to_have_count(2)
    assert values() == [("Chair", "Week 2", 21.0)]
    said.get_by_role("button", name="Desk, Week 3").click()
    keys.type("5")
    keys.press("Enter")
    keys.press("Control+s")
    expect(said).to_have_text("6 values were saved: 5 rows made, 1 row changed.")
    expect(count).to_have_text("")
    expect(planner.locator(".pl-changed, .pl-fault")).to_have_count(0)
    assert values() == [
        ("Chair", "Week 1", 1234.5),
        ("Chair", "Week 2", 20.0),
        ("Table", "Week 3", 1234.0),
        ("Desk", "Week 1", 1234.5),
        ("Desk", "Week 2", 20.0),
        ("Desk", "Week 3", 5.0),
    ]
    assert LogEntry.objects.filter(object_id=str(chair.pk), content_type__model="product").count() == 1

    # What is not saved yet asks before it is left.
    asked: list[str] = []

    def stay(dialog: object) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    planner.on("dialog", stay)
    rows.nth(1).locator("td").nth(1).click()
    keys.type("6")
    keys.press("Enter")
    planner.get_by_role("link", name="As a list").click()
    expect(count).to_have_text("1 value is not saved yet")
    assert asked == ["beforeunload"]
    planner.get_by_role("button", name="Discard").click()
    assert texts(rows, 1) == ["", "", "1,234"]

    # A row's own page: what is typed there is saved with the form above it. Ctrl-K leads to it.
    keys.press("Control+k")
    planner.locator("#search-input-command").fill("desk")
    planner.keyboard.press("Shift")
    expect(planner.locator("#command-results-list li").first).to_contain_text("Product · Furniture Workshop")
    keys.press("Enter")
    planner.wait_for_url("**/planning/product/*/change/")
    demand = planner.locator("tr[data-field=min_demand] td")
    expect(demand.nth(1)).to_have_text("")
    demand.nth(1).click()
    keys.type("4")
    planner.get_by_role("button", name="Save", exact=True).click()
    expect(planner.get_by_text("was changed successfully")).to_be_visible()
    assert ProductPeriod.objects.get(product__name="Desk", period=weeks[0]).min_demand == 4
    planner.goto(f"{reverse('admin:planning_productperiod_grid')}?plant={plant.pk}")

    # Numbers as people write them.
    refused = "can be"
    for text, decimals, is_pasted, wanted in (
        ("1,5", "", True, 1.5),
        ("1.5", "", True, 1.5),
        ("1.234", "", False, 1.234),
        ("1,234", "", False, refused),
        ("1,234", "point", True, 1234),
        ("1,234", "comma", True, 1.234),
        ("1.234", "comma", True, 1234),
        ("0.125", "", True, 0.125),
        ("1234,567", "", True, 1234.567),
        ("1.234.567,8", "", True, 1234567.8),
        ("1,234,567.8", "", True, 1234567.8),
        ("1\u00a0234,567", "", True, 1234.567),
        ("1'234.5", "", True, 1234.5),
        ("-2e-3", "", True, -0.002),
        ("1,5", "point", True, "decimal comma"),
        ("1.5", "comma", True, "decimal point"),
        ("1,234.5", "comma", True, "thousands"),
        ("1,23,456", "", True, "odd places"),
        ("12 34", "", True, "odd places"),
        ("1.2.3", "", True, "odd places"),
        ("12 %", "", True, "is not a number"),
        ("01.02.2026", "", True, "odd places"),
        ("1e", "", True, "is not a number"),
    ):
        found = planner.evaluate(READ, [[text, decimals, is_pasted]])[0]
        assert wanted in found if isinstance(wanted, str) else found == wanted, (text, decimals, found)
