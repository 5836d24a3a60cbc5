"""The admin, loaded where it is needed: with the site's addresses, and for its checks.

Django's own configuration loads every admin module into every process. Commands, workers and the processes that
solve have no use for them, and start faster without.
"""

from __future__ import annotations

from typing import Any

from django.contrib.admin import autodiscover
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks


class DeskConfig(SimpleAdminConfig):
    """Django's admin, without loading the modules of all tables at once; `urls.py` does."""

    def ready(self) -> None:
        """Register the admin's checks."""
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(check_desk, checks.Tags.admin)


def check_desk(app_configs: Any, **options: Any) -> list[Any]:
    """Return what is wrong with the admin's modules, all of them loaded."""
    autodiscover()
    found: list[Any] = check_admin_app(app_configs, **options)
    return found
