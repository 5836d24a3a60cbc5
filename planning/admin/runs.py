"""The list of runs, and the page of one run: its state while it is open, its plan when it has one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from unfold.admin import ModelAdmin

from planning.models import Run, Scenario
from planning.runs import look_after, stop_run, variation_in_words

from .amounts import exact, money, percent, rounded, seconds
from .approvals import approval_context, approve_view
from .base import KeptRows
from .row_links import RowLinks
from .run_csv import csv_response
from .run_scenario import SOLVERS, may_run, run_options_url
from .run_tables import CSV_TABLES, result_tables
from .run_words import (
    advice,
    elapsed,
    elapsed_seconds,
    has_plan,
    meaning,
    standing,
    state_badge,
    stop_label,
    stopped_words,
)

HEAVY = ("log", "progress", "conflict", "warnings", "profit_parts", "levels", "variation")  # not needed in a list
LEGS = (("read", "reading"), ("build", "building"), ("solve", "solving"), ("write", "writing"))


@admin.register(Run)
class RunAdmin(KeptRows, ModelAdmin):
    """Runs are looked at; nobody adds or edits one."""

    list_display = (
        "number",
        "plant",
        "scenario_name",
        "state_label",
        "profit",
        "gap_shown",
        "time_taken",
        "asked_for",
        "user",
    )
    list_display_links = ("number", "scenario_name")
    list_filter = ("plant", "state", "scenario_name")
    list_filter_sheet = True
    list_select_related = ("plant", "user")
    search_fields = ("scenario_name", "plant__name", "=id")
    list_per_page = 50
    show_full_result_count = False
    empty_hint = 'Open a scenario and press "Run scenario".'

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        rows: QuerySet[Run] = super().get_queryset(request)
        return rows.defer(*HEAVY)

    # --- rights ---------------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_stop_permission(self, request: HttpRequest) -> bool:
        """Whether the user may stop runs."""
        return bool(request.user.has_perm("planning.stop_run"))

    def why_kept(self, row: Run) -> str:
        if row.is_open:
            return "it has not ended yet"
        return "its plan is approved" if row.approvals.exists() else ""

    # --- list -----------------------------------------------------------------------------------

    @admin.display(description="run", ordering="id")
    def number(self, run: Run) -> str:
        return str(run.pk)

    @admin.display(description="state", ordering="state")
    def state_label(self, run: Run) -> SafeString:
        return state_badge(run.state)

    @admin.display(description="profit", ordering="objective")
    def profit(self, run: Run) -> SafeString:
        return format_html('<span class="pl-number">{}</span>', money(run.objective, run.currency))

    @admin.display(description="gap", ordering="gap")
    def gap_shown(self, run: Run) -> SafeString:
        return format_html('<span class="pl-number">{}</span>', percent(run.gap))

    @admin.display(description="time")
    def time_taken(self, run: Run) -> SafeString:
        return format_html('<span class="pl-number">{}</span>', seconds(elapsed_seconds(run)))

    @admin.display(description="asked for (UTC)", ordering="created_at")
    def asked_for(self, run: Run) -> SafeString:
        return format_html('<span class="pl-flag">{}</span>', f"{run.created_at:%Y-%m-%d %H:%M}")

    # --- one run --------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        return [
            path("<int:run_id>/state.json", site.admin_view(self.state_view), name="planning_run_state"),
            path("<int:run_id>/stop/", site.admin_view(self.stop_view), name="planning_run_stop"),
            path("<int:run_id>/approve/", site.admin_view(self.approve_view), name="planning_run_approve"),
            path("<int:run_id>/<slug:table>.csv", site.admin_view(self.csv_view), name="planning_run_csv"),
            *super().get_urls(),
        ]

    def run_to_view(self, request: HttpRequest, run_id: int | str) -> Run:
        """Return the run, for a user who may see it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(Run.objects.select_related("plant", "user", "run_set"), pk=run_id)

    @method_decorator([require_safe, never_cache])
    def state_view(self, request: HttpRequest, run_id: int) -> JsonResponse:
        """Answer what the page of an open run asks for every moment."""
        run = look_after(self.run_to_view(request, run_id))
        return JsonResponse(
            {
                "state": run.state,
                "label": str(run.get_state_display()),
                "meaning": meaning(run),
                "open": run.is_open,
                "elapsed": elapsed(run),
                "standing": standing(run),
                "stop": stop_label(run),
            }
        )

    @method_decorator(require_POST)
    def stop_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Ask the run to stop: once keeps the best plan, twice aborts."""
        run = self.run_to_view(request, run_id)
        if not self.has_stop_permission(request):
            raise PermissionDenied
        if run.is_open:
            run = stop_run(run, request.user.get_username())
            messages.success(request, stopped_words(run))
        else:
            messages.info(request, f"Run {run.pk} had ended before.")
        return redirect("admin:planning_run_change", run.pk)

    @method_decorator(require_POST)
    def approve_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Make the run the approved plan of its plant, or take that back."""
        return approve_view(request, self.run_to_view(request, run_id))

    @method_decorator(require_safe)
    def csv_view(self, request: HttpRequest, run_id: int, table: str) -> HttpResponseBase:
        run = self.run_to_view(request, run_id)
        if table not in CSV_TABLES:
            raise Http404(f"A run has no table {table}.")
        return csv_response(run, table)

    @method_decorator([require_safe, never_cache])
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the run; it has no form."""
        if not object_id.isdigit():
            raise Http404("There is no such run.")
        run = self.run_to_view(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Run {run.pk}",
            "opts": self.opts,
            "original": run,
            "run": run,
            "badge": state_badge(run.state),
            "meaning": meaning(run),
            "advice": advice(run),
            "elapsed": elapsed(run),
            "standing": standing(run),
            "stop": stop_label(run),
            "stop_url": self.stop_url(request, run),
            "state_url": reverse("admin:planning_run_state", args=[run.pk]),
            "has_plan": has_plan(run),
            "figures": figures(run) if has_plan(run) else [],
            "facts": facts(run, may_see_sets=request.user.has_perm("planning.view_runset")),
            "tables": [] if run.is_open else result_tables(run),
            "problems": [*with_links(run, run.conflict)],
            "warnings": [*with_links(run, run.warnings)],
            "again_url": self.again_url(request, run),
            "scenario_url": self.scenario_url(request, run),
            "delete_url": self.delete_url(request, run),
            **approval_context(request, run),
        }
        return TemplateResponse(request, "admin/planning/run/page.html", context)

    def again_url(self, request: HttpRequest, run: Run) -> str:
        """Return where the same scenario is run again; "" for whom may not, or when it is gone."""
        if not may_run(request):
            return ""
        scenarios = Scenario.objects.filter(plant_id=run.plant_id, name=run.scenario_name)
        return run_options_url(scenarios) if scenarios else ""

    def scenario_url(self, request: HttpRequest, run: Run) -> str:
        """Return the page of the run's scenario; "" for whom may not see it, or when it is gone."""
        if not request.user.has_perm("planning.view_scenario"):
            return ""
        scenario = Scenario.objects.filter(plant_id=run.plant_id, name=run.scenario_name).first()
        return reverse("admin:planning_scenario_change", args=[scenario.pk]) if scenario else ""

    def stop_url(self, request: HttpRequest, run: Run) -> str:
        if not (run.is_open and self.has_stop_permission(request)):
            return ""
        return reverse("admin:planning_run_stop", args=[run.pk])

    def delete_url(self, request: HttpRequest, run: Run) -> str:
        if run.is_open or not self.has_delete_permission(request, run):
            return ""
        return reverse("admin:planning_run_delete", args=[run.pk])


def figures(run: Run) -> list[dict[str, str]]:
    """Return the headline figures of a plan."""
    shown = [{"name": "Profit", "value": money(run.objective, run.currency), "note": certainty(run)}]
    if run.bound is not None:
        shown.append({"name": "No plan earns more than", "value": money(run.bound, run.currency), "note": ""})
    if run.gap is not None:
        asked = run.options.get("gap")
        note = f"{percent(asked)} was asked for" if isinstance(asked, int | float) else ""
        shown.append({"name": "Gap", "value": percent(run.gap), "note": note})
    if run.moved is not None:
        shown.append({"name": f"Moved against run {run.moved['run']}", **moved_words(run.moved)})
    legs = ", ".join(f"{word} {seconds(run.seconds[leg])}" for leg, word in LEGS if run.seconds.get(leg) is not None)
    took = sum(run.seconds.values()) if run.seconds else elapsed_seconds(run)
    shown.append({"name": "Time", "value": seconds(took), "note": legs})
    return shown


def moved_words(moved: dict[str, Any]) -> dict[str, str]:
    """Return how much of the plan is otherwise than in the earlier run, as a figure with a note."""
    orders = "no order changed" if not moved["orders"] else f"{moved['orders']} order(s) changed"
    note = f"{rounded(moved['units'])} units, {orders}"
    if moved["periods"]:
        first = "the first period" if moved["periods"] == 1 else f"the first {moved['periods']} periods"
        note += f"; {first} held" + (", whole" if moved["whole"] else "")
    return {"value": f"{rounded(moved['hours'])} h", "note": note}


def certainty(run: Run) -> str:
    """Return how sure it is that the plan is the best one."""
    return "proven best within the gap" if run.proven else "the best plan found"


def set_link(run: Run, may_see_sets: bool) -> str:
    """Return the set that the run is part of, with a link for whom may see it; "" where it is by itself."""
    if run.run_set is None:
        return ""
    words = f"Set {run.run_set.pk}: {run.run_set}"
    url = reverse("admin:planning_runset_change", args=[run.run_set.pk])
    return format_html('<a href="{}">{}</a>', url, words) if may_see_sets else words


def facts(run: Run, *, may_see_sets: bool) -> list[tuple[str, str]]:
    """Return what else there is to know about a run."""
    options = run.options
    solver = dict(SOLVERS).get(options.get("solver"), options.get("solver"))
    sizes = [f"{run.sizes[name]:,} {name}" for name in ("rows", "columns", "nonzeros") if name in run.sizes]
    found = [
        ("Started by", str(run.user) if run.user else ""),
        ("Asked for", run.created_at.strftime("%Y-%m-%d %H:%M:%S UTC")),
        ("Solver", str(solver or "")),
        ("Time limit", f"{exact(options['time_limit'])} s" if options.get("time_limit") is not None else ""),
        ("Gap asked for", percent(options["gap"]) if options.get("gap") is not None else ""),
        ("Part of", set_link(run, may_see_sets)),
        ("What differs", variation_in_words(run.variation) if run.variation is not None else ""),
        ("Attempt", rounded(run.attempt) if run.attempt > 1 else ""),
        ("Executed by", run.worker),
        ("Model", ", ".join(sizes)),
        ("Prices", PRICE_BASIS.get(run.shadow_price_basis, "")),
    ]
    return [(name, value) for name, value in found if value]


PRICE_BASIS = {
    "lp": "what one more hour or unit is worth comes from the plan's linear model",
    "fixed_mip": "what one more hour or unit is worth holds while the whole decisions stay as they are",
}


def with_links(run: Run, problems: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return the problems of a run in words, each with the page of its row."""
    links = RowLinks(run.plant_id)
    return [
        {
            "table": str(problem.get("table") or "").replace("_", " "),
            "row": str(problem.get("row") or ""),
            "period": str(problem.get("period") or ""),
            "column": str(problem.get("field") or problem.get("column") or "").replace("_", " "),
            "text": str(problem.get("text") or ""),
            "url": links.url(str(problem.get("table") or ""), str(problem.get("row") or "")),
        }
        for problem in problems
    ]
