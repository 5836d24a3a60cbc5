"""What all commands of the planner share."""

from __future__ import annotations

from django.core.management.base import BaseCommand


class PlanCommand(BaseCommand):
    """A command that starts without Django's checks of the whole site, which load every page of the admin.

    `manage.py check` and `migrate` make them.
    """

    requires_system_checks = []
