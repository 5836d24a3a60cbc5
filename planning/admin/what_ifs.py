"""On a run's page: a number of a machine, material, product or order is moved, and what the plan becomes is shown."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from planning.insight import (
    LEVER_KINDS,
    Axis,
    BadSweep,
    Lever,
    NoLever,
    NoSolvedData,
    find_lever,
    lever_rows,
    solve_truly,
    solved_plan,
    start_sweep,
    true_solves,
)
from planning.models import Run, Scenario, WhatIfSession
from planning.models.fields import NAME_LENGTH
from planning.runs import (
    AlteredCopy,
    BadOptions,
    BadVariations,
    CopyTooLarge,
    OutdatedCopy,
    answer_of,
    ask,
    get_ready,
    has_process,
    variation_changes,
)
from planning.scenarios import new_scenario

from .insights import may_make_scenario
from .run_scenario import may_run
from .what_if_words import answer_context

PART = "what-if"
WAIT_SECONDS = 1.0  # for an answer, where a process is there; then the page asks again
_LOOK_SECONDS = 0.015
_REFUSALS = (BadSweep, BadVariations, NoSolvedData, BadOptions, CopyTooLarge, AlteredCopy, OutdatedCopy)


class LeverForm(forms.Form):
    """Which number is meant."""

    kind = forms.ChoiceField(choices=[(kind.key, kind.label) for kind in LEVER_KINDS.values()])
    row = forms.CharField(max_length=NAME_LENGTH)
    period = forms.CharField(max_length=NAME_LENGTH, required=False)


class ValueForm(LeverForm):
    """A value of it."""

    value = forms.FloatField(min_value=-1e15, max_value=1e15)


class SweepForm(LeverForm):
    """Values of it from a first to a last one; and of a second number, where one is chosen."""

    first = forms.FloatField(min_value=-1e15, max_value=1e15, label="from")
    last = forms.FloatField(min_value=-1e15, max_value=1e15, label="to")
    steps = forms.IntegerField(min_value=2, max_value=200)
    kind2 = forms.ChoiceField(choices=[("", ""), *((k.key, k.label) for k in LEVER_KINDS.values())], required=False)
    row2 = forms.CharField(max_length=NAME_LENGTH, required=False)
    period2 = forms.CharField(max_length=NAME_LENGTH, required=False)
    first2 = forms.FloatField(min_value=-1e15, max_value=1e15, required=False, label="from")
    last2 = forms.FloatField(min_value=-1e15, max_value=1e15, required=False, label="to")
    steps2 = forms.IntegerField(min_value=2, max_value=200, required=False)


def part(request: HttpRequest, run: Run) -> dict[str, Any] | None:
    """Return what the part "What if" shows; None for who may not ask."""
    if not may_run(request):
        return None
    try:
        rows = lever_rows(run)
    except NoSolvedData as why:
        return {"why": f"Nothing can be tried on this plan. {why}"}
    given = {name: request.GET.get(name, "") for name in ("kind", "row", "period")}
    shown: dict[str, Any] = {
        "kinds": [(k.key, k.label, k.table, k.key == given["kind"]) for k in LEVER_KINDS.values() if rows[k.table]],
        "rows": rows,
        "periods": [(name, name == given["period"]) for name in solved_plan(run).periods],
        "given": given,
        "again": f"?{urlencode({'part': PART, **given})}",
        "solved": true_solves(run),
        "sweeps": list(run.tried_sets.filter(subject__kind="sweep").order_by("-id")[:5]),
        "may_see_sets": request.user.has_perm("planning.view_runset"),
    }
    if not given["row"]:
        return shown
    try:
        lever = find_lever(run, **given_lever(given))
    except NoLever as why:
        return shown | {"refused": str(why)}
    return shown | _asked(request, run, lever)


def _asked(request: HttpRequest, run: Run, lever: Lever) -> dict[str, Any]:
    """Return what is shown of the number that was chosen, with the answer that was asked for without a script."""
    value = request.GET.get("value", "")
    shown: dict[str, Any] = {
        "lever": lever,
        "now": lever.in_words(lever.now),
        "unit": "%" if lever.is_factor else lever.unit,
        "value": value or _plain(lever.now if lever.now is not None else lever.high / 2),
        "low": _plain(lever.low),
        "high": _plain(lever.high),
        "step": _plain((lever.high - lever.low) / 200),
        "may_make": may_make_scenario(request),
        "held": run.shadow_price_basis == "fixed_mip",
    }
    asked = request.GET.get("asked", "")
    if asked.isdigit():
        session = answer_of(run=run, user=request.user)
        shown |= _answer(run, lever, session, int(asked))
        shown["asked"] = asked
    return shown


def _plain(value: float) -> str:
    return f"{value:.10g}"


def given_lever(data: dict[str, Any]) -> dict[str, str]:
    """Return what names a lever in what was given."""
    return {"key": data["kind"], "row": data["row"], "period": data.get("period") or ""}


def _answer(run: Run, lever: Lever, session: WhatIfSession | None, number: int) -> dict[str, Any]:
    """Return what is shown of the answer to a question; it is `waiting` while there is none."""
    if session is None or session.asked != number:
        return {"answer": None, "other": True}
    if session.answered < number:
        return {"answer": None, "waiting": True, "number": number}
    found = session.answer or {}
    return {"answer": answer_context(run, lever, found), "open": bool(found.get("open")), "number": number}


def what_if_urls(run_admin: Any) -> list[URLPattern]:
    """Return the addresses that the part posts to."""
    views, wrap = WhatIfViews(run_admin), run_admin.admin_site.admin_view
    names = ("ask", "ready", "answer", "scenario", "solve", "sweep")
    return [
        path(f"<int:run_id>/what-if/{name}/", wrap(getattr(views, f"{name}_view")), name=f"planning_run_what_if_{name}")
        for name in names
    ]


class WhatIfViews:
    """What the form of the part does."""

    def __init__(self, run_admin: Any) -> None:
        self.run_admin = run_admin

    @method_decorator(require_POST)
    def ask_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Ask what a value makes of the plan; a script gets the answer, others the page that has it soon."""
        run, form = self._run(request, run_id), ValueForm(request.POST)
        lever = self._lever(run, form)
        if not form.is_valid():
            return HttpResponse("Give a number.", status=400)
        change = lever.change(form.cleaned_data["value"])
        number = ask(run=run, user=request.user, changes=[change], limit=lever.limit)
        if request.headers.get("X-Requested-With") == "fetch":
            return self._waited(request, run, lever, number)
        return back(run, lever, value=request.POST["value"], asked=number)

    @method_decorator(require_POST)
    def ready_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Have the plan ready before the first value is asked about."""
        get_ready(run=self._run(request, run_id), user=request.user)
        return HttpResponse()

    @method_decorator([require_safe, never_cache])
    def answer_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Answer a script that asked before."""
        run, form = self._run(request, run_id), LeverForm(request.GET)
        number = request.GET.get("number", "")
        if not number.isdigit():
            raise Http404("There is no such question.")
        return self._waited(request, run, self._lever(run, form), int(number), request.GET.get("open") == "yes")

    def _waited(
        self, request: HttpRequest, run: Run, lever: Lever, number: int, for_price: bool = False
    ) -> HttpResponse:
        """Return the answer as a piece of the page, 202 while there is none yet, or its price is still sought."""
        until = time.monotonic() + WAIT_SECONDS
        session = answer_of(run=run, user=request.user)
        while session is not None and session.asked == number and time.monotonic() < until and has_process(session):
            if session.answered >= number and not (for_price and (session.answer or {}).get("open")):
                break
            time.sleep(_LOOK_SECONDS)
            session = answer_of(run=run, user=request.user)
        context = {"run": run, "lever": lever, **_answer(run, lever, session, number)}
        is_whole = context.get("other") or not (context.get("waiting") or context.get("open"))
        return TemplateResponse(
            request,
            "admin/planning/run/what_if_answer.html",
            context,
            status=200 if is_whole else 202,
            headers={"X-Question": str(number)},
        )

    @method_decorator(require_POST)
    def scenario_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Save a value as a scenario, and go to its page."""
        run, form = self._run(request, run_id), ValueForm(request.POST)
        if not may_make_scenario(request):
            raise PermissionDenied
        lever, value = self._lever(run, form), self._value(form)
        parent = Scenario.objects.filter(plant_id=run.plant_id, name=run.scenario_name).first()
        if parent is None:
            messages.error(request, f'The scenario "{run.scenario_name}" is gone, so nothing can be built on it.')
            return back(run, lever, value=request.POST["value"])
        own = () if run.variation is None else variation_changes(run.variation)
        sentence = f"{lever.name} {lever.in_words(value)}"
        name = f"{sentence} (run {run.pk})".replace(" / ", ", ")[:NAME_LENGTH].strip()
        try:
            about = f"{sentence} instead of {lever.in_words(lever.now)}, tried on run {run.pk}"
            scenario = new_scenario(parent, name, about, [*own, lever.change(value)])
        except ValidationError as wrong:
            messages.error(request, " ".join(wrong.messages))
            return back(run, lever, value=request.POST["value"])
        messages.success(request, f'The scenario "{scenario}" has this value.')
        return redirect("admin:planning_scenario_change", scenario.pk)

    @method_decorator(require_POST)
    def solve_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Solve a value truly, as a run of its own; or the value as it is with one more and one less."""
        run, form = self._run(request, run_id), ValueForm(request.POST)
        lever, value = self._lever(run, form), self._value(form)
        values = [value]
        if request.POST.get("which") == "sides":
            if lever.now is None or lever.is_factor:
                messages.error(request, "There is no single limit to move by one. Choose one period that has a limit.")
                return back(run, lever, value=request.POST["value"])
            values = [lever.now + lever.one, max(lever.now - lever.one, 0.0)]
        try:
            started = solve_truly(run, lever, values, user=request.user)
            messages.success(request, f"{len(started.runs)} run(s) were started; what they find is shown below.")
        except _REFUSALS as why:
            messages.error(request, str(why))
        return back(run, lever, value=request.POST["value"])

    @method_decorator(require_POST)
    def sweep_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Start a run of each value, or of each pair of values, and go to the page that draws them."""
        run, form = self._run(request, run_id), SweepForm(request.POST)
        lever = self._lever(run, form)
        try:
            if not form.is_valid():
                raise BadSweep("Give a first value, a last value and the number of steps.")
            started = start_sweep(run, _axes(run, lever, form.cleaned_data), user=request.user)
        except (*_REFUSALS, NoLever) as why:
            messages.error(request, str(why))
            return back(run, lever)
        assert started.run_set is not None
        messages.success(request, f"{len(started.runs)} runs were started.")
        if request.user.has_perm("planning.view_runset"):
            return redirect("admin:planning_runset_change", started.run_set.pk)
        return back(run, lever)

    def _run(self, request: HttpRequest, run_id: int) -> Run:
        """Return the run, for a user who may try things on it."""
        run: Run = self.run_admin.run_to_view(request, run_id)
        if not may_run(request):
            raise PermissionDenied
        return run

    def _lever(self, run: Run, form: forms.Form) -> Lever:
        form.is_valid()
        data = getattr(form, "cleaned_data", {})
        if "kind" not in data or "row" not in data:
            raise Http404("There is no such number.")
        try:
            return find_lever(run, **given_lever(data))
        except (NoLever, NoSolvedData) as why:
            raise Http404(str(why)) from why

    def _value(self, form: forms.Form) -> float:
        if not form.is_valid():
            raise Http404("Give a number.")
        return float(form.cleaned_data["value"])


def _axes(run: Run, lever: Lever, data: dict[str, Any]) -> list[Axis]:
    axes = [Axis.between(lever, data["first"], data["last"], data["steps"])]
    if data["kind2"] and data["row2"]:
        second = find_lever(run, data["kind2"], data["row2"], data["period2"] or "")
        if data["first2"] is None or data["last2"] is None or data["steps2"] is None:
            raise BadSweep("Give a first value, a last value and the number of steps of the second number too.")
        axes.append(Axis.between(second, data["first2"], data["last2"], data["steps2"]))
    return axes


def back(run: Run, lever: Lever, **more: Any) -> HttpResponse:
    """Return to the part, with the same number chosen."""
    query = {"part": PART, "kind": lever.kind.key, "row": lever.row, "period": lever.period, **more}
    return redirect(f"{reverse('admin:planning_run_change', args=[run.pk])}?{urlencode(query)}#{PART}")
