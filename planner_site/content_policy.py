"""What a page of the site may load and run: the site's own files, and nothing from anywhere else.

'unsafe-eval' is for Alpine, which comes with unfold and makes functions of the attributes it reads; style
attributes in unfold's pages need 'unsafe-inline'. Neither lets in a script that is written into a page.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


class ContentPolicy:
    """Middleware: sends the policy with each answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        response = self.get_response(request)
        response["Content-Security-Policy"] = POLICY
        return response
