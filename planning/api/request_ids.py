"""Names each request, so that a run's lines in all logs can be found from the click that started it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from planning.logs import saying

_GIVEN = re.compile(r"[A-Za-z0-9._-]{8,64}")  # what a log line and a column can hold as it is
HEADER = "X-Request-ID"


class RequestIds:
    """Middleware: takes the proxy's X-Request-ID, or makes one, and answers with it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        given = request.headers.get(HEADER, "")
        name = given if _GIVEN.fullmatch(given) else secrets.token_hex(8)
        request.request_id = name  # type: ignore[attr-defined]  # Django logs bad answers after all middleware
        with saying(request=name):
            response = self.get_response(request)
        response[HEADER] = name
        return response
