"""Who may see the site's figures: whoever holds the monitoring token, and staff who may see runs."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from planning.models import visible_plants


def holds_token(request: HttpRequest) -> bool:
    """Whether the request carries the token of the settings; where they have none, nobody holds it."""
    given = request.headers.get("Authorization", "")
    token: str = settings.MONITORING_TOKEN
    return bool(token) and constant_time_compare(given.encode(), f"Bearer {token}".encode())


def may_see_figures(request: HttpRequest) -> bool:
    """Whether figures are shown: to a program with the token, or to staff who may see the runs of all plants."""
    user = request.user
    return holds_token(request) or bool(
        user.is_active and user.is_staff and user.has_perm("planning.view_run") and visible_plants(user) is None
    )
