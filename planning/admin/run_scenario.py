"""Run scenario: the page that asks for the options of a run, and what it says when the data allow none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from planning import runs
from planning.models import Run, Scenario
from planning.snapshot import DataProblems, Hold, Problem

from .access import rows_to_see
from .forms import AmountInput
from .row_links import RowLinks

SOLVERS = [("highs", "HiGHS"), ("pulp:CBC", "CBC, through PuLP")]
EARLIER_RUNS = 50  # that are offered to hold on to
MOST_AT_ONCE = 20  # scenarios that one press of the button runs


def may_run(request: HttpRequest) -> bool:
    """Whether the user may run scenarios."""
    return request.user.has_perm("planning.run_scenario")


def run_options_url(scenarios: Any) -> str:
    """Return the page that asks for the options of runs of these scenarios."""
    query = urlencode([("scenario", scenario.pk) for scenario in scenarios[: MOST_AT_ONCE + 1]])
    return f"{reverse('admin:planning_scenario_run')}?{query}"


class RunOptionsForm(forms.Form):
    """How long a run may take, how exact it has to be, and what solves it."""

    time_limit = forms.FloatField(
        label="Time limit (s)",
        min_value=1,
        max_value=86_400,
        widget=AmountInput,
        help_text="Seconds. The best plan found until then is kept.",
    )
    gap = forms.FloatField(
        label="Gap (%)",
        min_value=0,
        max_value=99,
        widget=AmountInput,
        help_text="Percent of profit. The solver stops when no plan can be better by more than this.",
    )
    solver = forms.ChoiceField(choices=SOLVERS, widget=UnfoldAdminSelectWidget)
    note = forms.CharField(
        max_length=500,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="What you want to remember of this run. It stands on its page.",
    )
    after = forms.TypedChoiceField(
        label="Compare with an earlier run",
        coerce=int,
        empty_value=None,
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text="The new run says how many machine hours, units and orders moved against it.",
    )
    hold_periods = forms.IntegerField(
        label="Periods to hold as they are there",
        min_value=0,
        initial=0,
        required=False,
        widget=AmountInput,
        help_text="The first so many periods are made as in the earlier run. 0: nothing is held.",
    )
    hold_whole = forms.BooleanField(
        label="Hold sales, purchases and deliveries there too",
        required=False,
        widget=UnfoldBooleanWidget,
    )
    move_cost = forms.FloatField(
        label="Cost per machine hour that moves",
        min_value=0,
        initial=0,
        required=False,
        widget=AmountInput,
        help_text="Money. The solver moves work only where that earns more; it is no part of the profit shown.",
    )

    options: runs.RunOptions  # as the runs take them, once the form is valid
    hold: Hold | None

    def __init__(self, *args: Any, plants: set[int], **more: Any) -> None:
        super().__init__(*args, **more)
        earlier = Run.objects.none()
        if len(plants) == 1:
            earlier = Run.objects.filter(plant__in=plants, objective__isnull=False, variation__isnull=True)
        listed = earlier.order_by("-id").values_list("pk", "scenario_name", "created_at")[:EARLIER_RUNS]
        choices = [(pk, f"Run {pk} of {name}, {at:%Y-%m-%d %H:%M}") for pk, name, at in listed]
        if not choices:
            for name in ("after", "hold_periods", "hold_whole", "move_cost"):
                del self.fields[name]
            return
        field = self.fields["after"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [("", "None"), *choices]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self.hold = self._hold(cleaned)
        if not self.errors:
            try:
                self.options = runs.RunOptions(
                    time_limit=cleaned["time_limit"], gap=cleaned["gap"] / 100, solver=cleaned["solver"]
                )
            except runs.BadOptions as wrong:
                raise ValidationError(str(wrong)) from wrong
        return cleaned

    @property
    def asked(self) -> dict[str, Any]:
        """What a valid form asks of each run."""
        return {"options": self.options, "hold": self.hold, "note": self.cleaned_data["note"]}

    def _hold(self, cleaned: dict[str, Any]) -> Hold | None:
        """Return what to keep of an earlier plan; what needs an earlier run and has none is an error of its field."""
        periods, cost = cleaned.get("hold_periods") or 0, cleaned.get("move_cost") or 0.0
        if cleaned.get("after"):
            return Hold(cleaned["after"], periods, bool(cleaned.get("hold_whole")), cost)
        if periods or cost:
            self.add_error("after", "Choose the earlier run whose plan is meant.")
        return None


def default_options() -> dict[str, Any]:
    """Return what the form shows first."""
    defaults: dict[str, Any] = settings.PLANNING
    return {
        "time_limit": defaults["DEFAULT_TIME_LIMIT"],
        "gap": round(defaults["DEFAULT_GAP"] * 100, 12),
        "solver": SOLVERS[0][0],
    }


@dataclass(frozen=True)
class Refusal:
    """A scenario whose data allow no plan, with the problems in words and links to their rows."""

    scenario: Scenario
    errors: list[dict[str, str]]
    warnings: list[dict[str, str]]


def asked_scenarios(request: HttpRequest) -> list[Scenario]:
    """Return the scenarios that the address names, in its order."""
    names = request.GET.getlist("scenario")
    ids = [int(name) for name in names if name.isdecimal() and len(name) < 19]
    found = rows_to_see(request, Scenario.objects.select_related("plant")).in_bulk(ids)
    return [found[pk] for pk in dict.fromkeys(ids) if pk in found]


def run_view(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Ask for the options; on POST start the runs and show them, or say why they can't be."""
    if not may_run(request):
        raise PermissionDenied
    scenarios = asked_scenarios(request)
    if not scenarios:
        messages.error(request, "Choose the scenarios to run.")
        return redirect("admin:planning_scenario_changelist")
    if len(scenarios) > MOST_AT_ONCE:
        messages.error(request, f"Run at most {MOST_AT_ONCE} scenarios at once.")
        return redirect("admin:planning_scenario_changelist")
    plants = {scenario.plant_id for scenario in scenarios}
    given = request.POST if request.method == "POST" else None
    form = RunOptionsForm(given, initial=default_options(), plants=plants)
    if request.method == "POST" and form.is_valid():
        started, refusals = start_runs(request, scenarios, form)
        return answer(site, request, started, refusals)
    context = {**site.each_context(request), "title": "Run scenario", "form": form, "scenarios": scenarios}
    return TemplateResponse(request, "admin/planning/scenario/run.html", context)


def start_runs(
    request: HttpRequest, scenarios: list[Scenario], form: RunOptionsForm
) -> tuple[list[Run], list[Refusal]]:
    """Start a run of each scenario, those of one plant as a set; return the runs, and what was refused."""
    started: list[Run] = []
    refusals: list[Refusal] = []
    by_plant: dict[int, list[Scenario]] = {}
    for scenario in scenarios:
        by_plant.setdefault(scenario.plant_id, []).append(scenario)
    for together in by_plant.values():
        for scenario, answer in zip(together, answers(request, together, form), strict=True):
            if isinstance(answer, Run):
                started.append(answer)
            elif isinstance(answer, runs.SameRun):
                under_way = f"Run {answer.run.pk} of {scenario.name} is under way with the same data and options"
                messages.warning(request, f"{under_way}; no second one was started.")
                started.append(answer.run)
            else:
                refusals.append(refusal(scenario, answer))
    return started, refusals


def answers(request: HttpRequest, scenarios: list[Scenario], form: RunOptionsForm) -> tuple[runs.Answer, ...]:
    """Return for each scenario of a plant its new run, or why there is none: one runs alone, several as a set."""
    if len(scenarios) > 1:
        started = runs.start_set(scenarios=scenarios, user=request.user, **form.asked)
        if started.run_set is not None:
            count = len(started.runs)
            runs_of = f"{count} run{'s' if count > 1 else ''} of {scenarios[0].plant.name}"
            messages.success(request, f"Set {started.run_set.pk} with {runs_of} started.")
        return started.answers
    try:
        run = runs.start_run(scenarios[0], user=request.user, **form.asked)
    except (DataProblems, runs.SameRun, runs.CopyTooLarge) as why:
        return (why,)
    messages.success(request, f"Run {run.pk} of {scenarios[0].name} started.")
    return (run,)


def refusal(scenario: Scenario, why: DataProblems | runs.CopyTooLarge) -> Refusal:
    """Return why a scenario has no run, as the page shows it."""
    links = RowLinks(scenario.plant_id)
    problems = why if isinstance(why, DataProblems) else None
    errors = problems.errors if problems else [Problem("plant", scenario.plant.name, "", str(why))]
    return Refusal(
        scenario,
        [problem_words(links, problem) for problem in errors],
        [problem_words(links, problem) for problem in (problems.warnings if problems else [])],
    )


def problem_words(links: RowLinks, problem: Problem) -> dict[str, str]:
    """Return a problem as the page shows it."""
    return {
        "table": problem.table.replace("_", " "),
        "row": str(problem.row),
        "column": problem.column.replace("_", " "),
        "text": problem.text,
        "url": links.url(problem.table, str(problem.row)),
    }


def answer(site: AdminSite, request: HttpRequest, started: list[Run], refusals: list[Refusal]) -> HttpResponse:
    """Go to the new run, to the set of several or to their list, or show why there is none."""
    if refusals:
        context = {
            **site.each_context(request),
            "title": "No run: the data allow no plan",
            "refusals": refusals,
            "started": started,
        }
        return TemplateResponse(request, "admin/planning/scenario/refused.html", context)
    sets = {run.run_set_id for run in started}
    if len(started) > 1 and len(sets) == 1 and None not in sets and request.user.has_perm("planning.view_runset"):
        return redirect("admin:planning_runset_change", sets.pop())
    if not request.user.has_perm("planning.view_run"):
        return redirect("admin:index")
    if len(started) == 1:
        return redirect("admin:planning_run_change", started[0].pk)
    return redirect("admin:planning_run_changelist")
