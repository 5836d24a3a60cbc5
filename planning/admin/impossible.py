"""On the page of a run without a plan: which values contradict each other or are blank, and what would have to give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from planning.insight import NoRemedy, scenario_of_relief
from planning.models import Run

from .field_links import FieldLinks
from .insights import may_make_scenario
from .run_page import with_links

TITLES = {
    "least": "The least that would have to give",
    "shortages": "Asking for less: shortages allowed",
    "resources": "More hours, materials and room",
    "blank": "Fields that are blank",
}
ABOUT = {
    "least": "All of this together allows a plan. In sum, each amount against its value, no less does.",
    "shortages": "All of this together allows a plan while hours, materials and room stay as they are.",
    "resources": "All of this together allows a plan in which everything that is asked for is delivered.",
    "blank": "Nothing limits what earns; one of these needs a value.",
}
SURE = {
    "found": " Less may do: the time passed before that was known.",
    "untried": " The time passed before a plan with it was found.",
}


@dataclass(frozen=True)
class ShownRelief:
    """What would have to give, with the fields to change."""

    title: str
    about: str
    changes: list[dict[str, str]]
    make_url: str  # "" where it is no scenario, or the user may not make one


def impossible(request: HttpRequest, run: Run) -> dict[str, Any] | None:
    """Return what the page says of a run that has no plan; None where there is nothing to say."""
    if not (run.conflict or run.relief):
        return None
    return {"problems": with_links(run, run.conflict), "reliefs": _shown(request, run)}


def _shown(request: HttpRequest, run: Run) -> list[ShownRelief]:
    links = FieldLinks(run, [change for relief in run.relief for change in relief["changes"]])
    may_make = may_make_scenario(request)
    found = []
    for number, relief in enumerate(run.relief):
        is_scenario = may_make and relief["kind"] != "blank"
        url = reverse("admin:planning_run_relief", args=[run.pk, number]) if is_scenario else ""
        changes = [{"text": str(change["text"]), "url": links.url(change)} for change in relief["changes"]]
        about = ABOUT.get(relief["kind"], "") + SURE.get(relief["sure"], "")
        found.append(ShownRelief(TITLES.get(relief["kind"], ""), about, changes, url))
    return found


def relief_urls(run_admin: Any) -> list[URLPattern]:
    """Return the addresses that the buttons post to."""
    views, wrap = ReliefViews(run_admin), run_admin.admin_site.admin_view
    return [path("<int:run_id>/relief/<int:number>/", wrap(views.make_view), name="planning_run_relief")]


class ReliefViews:
    """What the buttons do."""

    def __init__(self, run_admin: Any) -> None:
        self.run_admin = run_admin

    @method_decorator(require_POST)
    def make_view(self, request: HttpRequest, run_id: int, number: int) -> HttpResponse:
        """Make a scenario of what would have to give, and go to its page."""
        run: Run = self.run_admin.run_to_view(request, run_id)
        if not may_make_scenario(request):
            raise PermissionDenied
        try:
            scenario = scenario_of_relief(run, number)
        except IndexError as nothing:
            raise Http404("There is no such relief.") from nothing
        except NoRemedy as why:
            messages.error(request, str(why))
            return redirect("admin:planning_run_change", run.pk)
        except ValidationError as wrong:
            messages.error(request, " ".join(wrong.messages))
            return redirect("admin:planning_run_change", run.pk)
        messages.success(request, f'The scenario "{scenario}" has these changes. Run it to see the plan.')
        return redirect("admin:planning_scenario_change", scenario.pk)
