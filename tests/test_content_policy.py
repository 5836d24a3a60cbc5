"""What the site lets its pages load and run; that its own pages keep to it, tests in a browser see."""

from __future__ import annotations

import pytest
from django.test import Client


def rules(client: Client, url: str) -> dict[str, list[str]]:
    """Return the policy that comes with a page, by directive."""
    policy = client.get(url)["Content-Security-Policy"]
    return {name: values for name, *values in (rule.split() for rule in policy.split(";"))}


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["/admin/login/", "/admin/", "/nowhere/"])
def test_each_page_names_what_it_may_load(client: Client, url: str) -> None:
    found = rules(client, url)
    assert found["default-src"] == found["frame-ancestors"] == found["base-uri"] == ["'none'"]
    assert "'unsafe-inline'" not in found["script-src"]
    sources = {source for values in found.values() for source in values}
    assert sources <= {"'none'", "'self'", "'unsafe-eval'", "'unsafe-inline'", "data:"}
