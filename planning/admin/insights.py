"""On a run's page: what limits the plan, why something is short, and remedies that are tried in runs of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from planning.insight import (
    Gains,
    NoRemedy,
    NoSimplePlan,
    NoSolvedData,
    NotMadeYet,
    NotUndone,
    Pair,
    Subject,
    TightLimit,
    Trial,
    Trials,
    bottlenecks,
    find_subject,
    gains,
    make_by_hand,
    make_scenario,
    shortfalls,
    trials,
    try_remedies,
)
from planning.models import Run
from planning.models.fields import NAME_LENGTH
from planning.runs import AlteredCopy, BadOptions, CopyTooLarge, OutdatedCopy

from .amounts import rounded
from .row_links import RowLinks
from .run_scenario import may_run
from .run_waterfall import PARTS

EXPLAINED = 20  # shortfalls on the page
ORDERS_SHOWN = 12  # that differ between the plans
LIMITS_SHOWN = 6  # of each resource, by what relief is worth


class SubjectForm(forms.Form):
    """Which shortfall is meant."""

    kind = forms.CharField(max_length=20)
    row = forms.CharField(max_length=NAME_LENGTH)
    period = forms.CharField(max_length=NAME_LENGTH)


@dataclass(frozen=True)
class ShownReason:
    """A reason with the page of its row."""

    sentence: str
    row: str
    url: str


@dataclass(frozen=True)
class ShownShortfall:
    """A shortfall with its reasons and what was tried for it."""

    subject: Subject
    reasons: list[ShownReason]
    tried: Trials | None


def limits(request: HttpRequest, run: Run) -> dict[str, Any]:
    """Return what the part "What limits the plan" shows."""
    found = bottlenecks(run)
    resources = []
    for bottleneck in found.ranked:
        first, *others = [limit.sentence for limit in bottleneck.best_first]
        shown = others[: LIMITS_SHOWN - 1]
        try_link = _try_link(bottleneck.best_first[0]) if may_run(request) else ""
        resources.append({"first": first, "others": shown, "more": len(others) - len(shown), "try_link": try_link})
    return {"summary": found.summary, "resources": resources}


def _try_link(limit: TightLimit) -> str:
    """Return where a limit is moved in a what-if."""
    kind = "hours" if limit.resource_type == "machine" else "quantity"
    query = {"part": "what-if", "kind": kind, "row": limit.resource, "period": limit.period}
    return f"?{urlencode(query)}#what-if"


def short(request: HttpRequest, run: Run) -> dict[str, Any]:
    """Return what the part "Why short" shows."""
    shown: dict[str, Any] = {
        "try_url": reverse("admin:planning_run_remedies", args=[run.pk]) if may_run(request) else "",
        "may_make": may_make_scenario(request),
        "may_see_sets": request.user.has_perm("planning.view_runset"),
    }
    try:
        found = shortfalls(run, EXPLAINED)
    except NoSolvedData as why:
        return {"why": f"What is short can't be explained. {why}"}
    tried = {tuple(one.key.values()): one for one in reversed(trials(run))}
    links = RowLinks(run.plant_id)
    listed = [
        ShownShortfall(
            one.subject,
            [ShownReason(r.sentence, r.row, links.url(r.table, r.row) if r.table else "") for r in one.reasons],
            tried.get(tuple(one.subject.key.values())),
        )
        for one in found.explained
    ]
    return {**shown, "found": listed, "more": found.total - len(listed)}


def won(request: HttpRequest, run: Run) -> dict[str, Any]:
    """Return what the part "What the optimiser won" shows."""
    make_url = reverse("admin:planning_run_by_hand", args=[run.pk]) if may_run(request) else ""
    try:
        found = gains(run)
    except NoSimplePlan as why:
        return {"none": str(why)}
    except NoSolvedData as why:
        return {"why": f"What was won can't be told. {why}"}
    except NotMadeYet as why:
        return {"waits": why.run is not None, "make_url": make_url}
    return {"found": found, "tables": list(_tables_of(found))}


@dataclass(frozen=True)
class Side:
    """A table of figures of both plans."""

    title: str
    about: str  # heads the column of names
    rows: list[tuple[str, str, str, str]]


def _tables_of(found: Gains) -> Iterator[Side]:
    """Yield the tables of figures side by side."""
    missed = [_side(f"Missed of priority {pair.place}", pair) for pair in found.missed]
    in_full = [_side("Orders delivered in full", found.in_full)] if found.in_full else []
    parts = [_side(PARTS.get(pair.name, pair.name), pair) for pair in found.parts]
    if missed:
        yield Side("", "Orders and goals", [*missed, *in_full])
    yield Side("", f"Money, in {found.currency}", [*parts, _side("Profit", found.profit)])
    if found.orders:
        shown = found.orders[:ORDERS_SHOWN]
        more = len(found.orders) - len(shown)
        about = f"Units delivered; {more} more orders differ." if more else "Units delivered."
        yield Side(
            "Orders that get more or less", about, [_side(f"{pair.name} ({pair.place})", pair) for pair in shown]
        )
    overtime = {pair.name: pair for pair in found.overtime}
    rows = []
    for pair in found.hours:
        rows.append(_side(pair.name, pair))
        if pair.name in overtime:
            rows.append(_side(f"of that overtime on {pair.name}", overtime[pair.name]))
    if rows:
        yield Side("Machine hours", "Over all periods, setups and overtime included.", rows)


def _side(name: str, pair: Pair) -> tuple[str, str, str, str]:
    difference = rounded(pair.difference)
    signed = f"+{difference}" if pair.difference > 0 and difference != "0" else difference.replace("-", "−")
    return name, rounded(pair.by_hand), rounded(pair.optimised), signed


def may_make_scenario(request: HttpRequest) -> bool:
    """Whether the user may make a scenario of a remedy."""
    return bool(request.user.has_perm("planning.add_scenario"))


def insight_urls(run_admin: Any) -> list[URLPattern]:
    """Return the addresses that the cards post to."""
    views, wrap = InsightViews(run_admin), run_admin.admin_site.admin_view
    return [
        path("<int:run_id>/remedies/", wrap(views.try_view), name="planning_run_remedies"),
        path("<int:run_id>/by-hand/", wrap(views.by_hand_view), name="planning_run_by_hand"),
        path("<int:run_id>/remedies/<int:tried_id>/", wrap(views.make_view), name="planning_run_remedy_scenario"),
    ]


class InsightViews:
    """What the buttons of the cards do."""

    def __init__(self, run_admin: Any) -> None:
        self.run_admin = run_admin

    @method_decorator(require_POST)
    def try_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Start runs of the remedies for one shortfall, and go back to the run."""
        run: Run = self.run_admin.run_to_view(request, run_id)
        if not may_run(request):
            raise PermissionDenied
        form = SubjectForm(request.POST)
        if not form.is_valid():
            raise Http404("There is no such shortfall.")
        key = form.cleaned_data
        if any(one.is_open and one.key == key for one in trials(run)):
            messages.info(request, "Remedies for this are being tried already.")
            return _back(run)
        try:
            started = try_remedies(run, find_subject(run, key), user=request.user)
            messages.success(request, f"{len(started.runs)} remedies are being tried for {key['row']}.")
        except (NoRemedy, NotUndone, NoSolvedData, BadOptions, CopyTooLarge, AlteredCopy, OutdatedCopy) as why:
            messages.error(request, str(why))
        return _back(run)

    @method_decorator(require_POST)
    def by_hand_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Start a run that makes the plan by hand, and go back to the run."""
        run: Run = self.run_admin.run_to_view(request, run_id)
        if not may_run(request):
            raise PermissionDenied
        try:
            gains(run)
        except NotMadeYet as why:
            if why.run is None:
                try:
                    make_by_hand(run, user=request.user)
                except (CopyTooLarge, AlteredCopy, OutdatedCopy) as unreadable:
                    messages.error(request, str(unreadable))
        except (NoSimplePlan, NoSolvedData) as known:
            messages.error(request, str(known))
        return _back(run, "won")

    @method_decorator(require_POST)
    def make_view(self, request: HttpRequest, run_id: int, tried_id: int) -> HttpResponse:
        """Make a scenario of a remedy that was tried, and go to its page."""
        run: Run = self.run_admin.run_to_view(request, run_id)
        if not may_make_scenario(request):
            raise PermissionDenied
        trial = _trial(run, tried_id)
        try:
            scenario = make_scenario(trial, scenario_name(run, trial))
        except NoRemedy as why:
            messages.error(request, str(why))
            return _back(run)
        except ValidationError as wrong:
            messages.error(request, " ".join(wrong.messages))
            return _back(run)
        messages.success(request, f'The scenario "{scenario}" has these changes.')
        return redirect("admin:planning_scenario_change", scenario.pk)


def scenario_name(run: Run, trial: Trial) -> str:
    """Return what a scenario made of a remedy is called."""
    return f"{trial.sentence} (run {run.pk})".replace(" / ", ", ")[:NAME_LENGTH].strip()


def _trial(run: Run, tried_id: int) -> Trial:
    """Return the remedy of the run that another run tried."""
    for one in trials(run):
        for trial in one.trials:
            if trial.run.pk == tried_id:
                return trial
    raise Http404("There is no such remedy.")


def _back(run: Run, part: str = "short") -> HttpResponse:
    return redirect(f"{reverse('admin:planning_run_change', args=[run.pk])}?part={part}#{part}")
