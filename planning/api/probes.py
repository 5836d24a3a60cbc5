"""`/livez` and `/readyz`: for load balancers, service managers and monitors.

They are answered before anything else of the site: such a program calls a host by its number, without
HTTPS, and has no session. Nothing of the request goes into the answer.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse

from .readiness import look_around, part_names
from .rights import holds_token


class Probes:
    """Middleware that answers the two addresses; it stands first."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        probe = {"/livez": livez, "/readyz": readyz}.get(request.path_info)
        if probe is None:
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        response = probe(request)
        response["Cache-Control"] = "no-store"
        return response


def livez(request: HttpRequest) -> HttpResponse:
    """Say that this process answers. Nothing else is touched."""
    return HttpResponse("alive\n", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """Say whether a run that is started now would be executed; 503 where not. `?part=database` asks for one part.

    Strangers read which parts are ready. Why not, and all figures, are for holders of the monitoring token.
    """
    asked = request.GET.getlist("part") or part_names()
    if not set(asked) <= set(part_names()):
        return JsonResponse({"error": f"The parts are {', '.join(part_names())}."}, status=404)
    shown: dict[str, object]
    parts = {name: part for name, part in look_around().items() if name in asked}
    ready = all(part.ready for part in parts.values())
    if holds_token(request):
        shown = {name: {"ready": part.ready, "state": part.words, **part.figures} for name, part in parts.items()}
    else:
        shown = {name: "ready" if part.ready else "not ready" for name, part in parts.items()}
    return JsonResponse({"ready": ready, "parts": shown}, status=200 if ready else 503)
