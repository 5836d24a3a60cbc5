"""A real browser on a live server: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
PATIENCE = 30_000  # milliseconds until a missing element fails a test


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return a browser. Playwright keeps an event loop in this thread, in which Django is then told to work."""
    patch = pytest.MonkeyPatch()
    patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()
    patch.undo()


class Watch:
    """What a page did that it should not: errors in the console, requests to other machines, lost files."""

    def __init__(self, page: Page, home: str) -> None:
        self.trouble: list[str] = []
        page.on("console", lambda message: self.trouble.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.trouble.append(f"{page.url}: {error.stack or error}"))
        page.on("request", lambda request: self.look(request.url, home))

    def look(self, url: str, home: str) -> None:
        if not url.startswith((home, "data:", "blob:")):
            self.trouble.append(f"asked for {url}")


@pytest.fixture
def page(browser: Browser, live_server: Any, transactional_db: None) -> Iterator[Page]:
    """Return a page on the live server, which may neither complain nor ask elsewhere."""
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 850})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    watch = Watch(page, live_server.url)
    yield page
    page.unroute_all(behavior="ignoreErrors")  # answers that are still under way are nobody's any more
    context.close()
    assert watch.trouble == []


@pytest.fixture
def planner(page: Page, live_server: Any) -> Page:
    """Return a page in which an administrator has logged in, through the login page."""
    User.objects.create_superuser("planner", password="secret")
    page.goto("/")
    page.fill("[name=username]", "planner")
    page.fill("[name=password]", "secret")
    page.click("button[type=submit]")
    page.wait_for_url(f"{live_server.url}/admin/")  # not the login page, whose address ends so too
    return page
