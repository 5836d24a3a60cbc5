"""Each screen, light and dark, wide and narrow: it fits, keeps the content policy, and can be read by everybody.

`make screenshots` runs this and keeps the pictures.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.browser.screens import SCREENS, fill_site

PICTURES = os.environ.get("SCREENSHOTS")  # the folder to keep them in
WIDE, NARROW = 1280, 390
PARTS = ("plan", "load", "campaigns", "limits", "short", "what-if", "won")  # of a run, each a picture
ACCESSIBLE = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}


def faults(page: Page) -> list[str]:
    """Return what keeps people from reading the page: rule, element, and what is wrong with it."""
    found: list[dict[str, Any]] = Axe().run(page, options=ACCESSIBLE).response["violations"]
    return [
        f"{rule['id']}: {' '.join(node['target'])}: {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]


def keep_pictures(page: Page, folder: Path, name: str, scheme: str) -> None:
    """Keep a picture of the page as it opens, and of the parts of a run that people ask for."""
    folder.mkdir(exist_ok=True)
    page.screenshot(path=folder / f"{name}-{scheme}.png")
    for part in PARTS if name == "run" else ():
        card = page.locator(f"#{part}")
        card.scroll_into_view_if_needed()
        page.wait_for_load_state("networkidle")
        if card.get_by_role("link", name="Show", exact=True).count():
            card.get_by_role("link", name="Show", exact=True).click()
            page.wait_for_load_state("networkidle")
        if part == "what-if":
            ask_what_if(card)
        card.screenshot(path=folder / f"run-{part}-{scheme}.png")


def ask_what_if(card: Locator) -> None:
    """Ask what another number of hours would mean, and wait for the answer."""
    card.get_by_label("Which").fill("Assembly Station")
    card.get_by_role("button", name="Choose").click()
    card.locator("[data-slider]").focus()
    card.locator("[data-slider]").press("ArrowRight")
    expect(card.locator("[data-what-if-answer]")).to_contain_text("USD")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_screen_fits_and_can_be_read(planner: Page, plants_dir: Path, scheme: str) -> None:
    site = fill_site(plants_dir)
    planner.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    wrong: list[str] = []
    for name, url in SCREENS.items():
        planner.set_viewport_size({"width": WIDE, "height": 850})
        planner.goto(url(site))
        planner.wait_for_load_state("networkidle")
        wrong += [f"{name}: {fault}" for fault in faults(planner)]
        if PICTURES:
            keep_pictures(planner, Path(PICTURES), name, scheme)
        for width in (WIDE, NARROW):
            planner.set_viewport_size({"width": width, "height": 850})
            needed = planner.evaluate("document.documentElement.scrollWidth")
            wrong += [f"{name}: needs {needed} of {width} pixels"] * (needed > width)
    assert wrong == [], "\n".join(wrong)
