"""The list of runs, and the page of one run: its state while it is open, its plan when it has one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from unfold.admin import ModelAdmin

from planning.exchange import ExportRefused, Sheet
from planning.insight import NoSolvedData, data_changes
from planning.models import TABLE_BY_NAME, Run, Scenario
from planning.runs import look_after, stop_run

from .access import RowsToSee, row_to_see
from .amounts import money, percent, seconds
from .approvals import approval_context, approve_view
from .base import KeptRows
from .compare import ComparedRuns
from .impossible import impossible, relief_urls
from .insights import insight_urls
from .list_exports import ExportedList
from .run_exports import INPUT, all_sheets, csv_response, sheet_of, xlsx_response
from .run_inputs import may_view
from .run_page import facts, figures, with_links
from .run_parts import KINDS, Asked, part_of, parts_of
from .run_scenario import may_run, run_options_url
from .run_state import state_of
from .run_words import advice, elapsed_seconds, has_plan, state_badge, stopped_words
from .what_ifs import what_if_urls

HEAVY = (
    "log",
    "progress",
    "conflict",
    "relief",
    "warnings",
    "profit_parts",
    "levels",
    "variation",
)  # not needed in a list


@admin.register(Run)
class RunAdmin(ComparedRuns, ExportedList, KeptRows, RowsToSee, ModelAdmin):
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
    export_columns = (
        ("run", "id"),
        ("plant", "plant__name"),
        ("scenario", "scenario_name"),
        ("state", "state"),
        ("profit", "objective"),
        ("bound", "bound"),
        ("gap", "gap"),
        ("currency", "currency"),
        ("set", "run_set_id"),
        ("asked for (UTC)", "created_at"),
        ("started (UTC)", "started_at"),
        ("ended (UTC)", "finished_at"),
        ("user", "user__username"),
        ("reason", "reason"),
    )
    list_filter = ("plant", "state", "scenario_name")
    list_filter_sheet = True
    list_select_related = ("plant", "user")
    search_fields = ("scenario_name", "plant__name", "note", "=id")
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
            path("<int:run_id>/changes.json", site.admin_view(self.changes_view), name="planning_run_changes"),
            path("<int:run_id>/part/<slug:name>/", site.admin_view(self.part_view), name="planning_run_part"),
            path("<int:run_id>/<slug:table>.csv", site.admin_view(self.csv_view), name="planning_run_csv"),
            path("<int:run_id>/<slug:table>.xlsx", site.admin_view(self.xlsx_view), name="planning_run_xlsx"),
            *insight_urls(self),
            *what_if_urls(self),
            *relief_urls(self),
            *super().get_urls(),
        ]

    def run_to_view(self, request: HttpRequest, run_id: int | str) -> Run:
        """Return the run, for a user who may see it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return row_to_see(request, Run.objects.select_related("plant", "user", "run_set"), run_id)

    @method_decorator([require_safe, never_cache])
    def state_view(self, request: HttpRequest, run_id: int) -> JsonResponse:
        """Answer what the page of an open run asks for every moment."""
        return JsonResponse(state_of(look_after(self.run_to_view(request, run_id))))

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

    @method_decorator([require_safe, never_cache])
    def changes_view(self, request: HttpRequest, run_id: int) -> JsonResponse:
        """Answer how far the plant's data have moved on since the run read them."""
        run = self.run_to_view(request, run_id)
        try:
            changes = data_changes(run)
        except NoSolvedData as why:
            return JsonResponse({"count": None, "words": "", "about": str(why)})
        edits = f"{changes.count:,} edit{'s' if changes.count != 1 else ''}"
        about = ", ".join(f"{name.replace('_', ' ')}: {count:,}" for name, count in changes.by_table.items())
        words = f"data changed since ({edits})" if changes.count else ""
        return JsonResponse({"count": changes.count, "words": words, "about": about})

    @method_decorator([require_safe, never_cache])
    def part_view(self, request: HttpRequest, run_id: int, name: str) -> HttpResponse:
        """Show one part of the page by itself, for the script that puts it into its place."""
        run = self.run_to_view(request, run_id)
        if name not in KINDS or run.is_open or (KINDS[name].needs and not has_plan(run)):
            raise Http404(f"Run {run.pk} has no part {name}.")
        part = part_of(request, run, name, Asked.of(request, name), now=True)
        if part is None:
            raise Http404(f"Run {run.pk} has nothing to show in part {name}.")
        return TemplateResponse(request, part.template, {"run": run, "part": part})

    @method_decorator(require_safe)
    def csv_view(self, request: HttpRequest, run_id: int, table: str) -> HttpResponseBase:
        run = self.run_to_view(request, run_id)
        return csv_response(run, self.sheet_to_view(request, run, table))

    @method_decorator(require_safe)
    def xlsx_view(self, request: HttpRequest, run_id: int, table: str) -> HttpResponseBase:
        run = self.run_to_view(request, run_id)
        try:
            sheets = all_sheets(run) if table == "plan" else [self.sheet_to_view(request, run, table)]
            return xlsx_response(run, table, sheets)
        except ExportRefused as why:
            messages.error(request, str(why))
            return redirect("admin:planning_run_change", run.pk)

    def sheet_to_view(self, request: HttpRequest, run: Run, name: str) -> Sheet:
        """Return a table of the run by the name of its files, for a user who may see it."""
        source = TABLE_BY_NAME.get(name.removeprefix(INPUT)) if name.startswith(INPUT) else None
        if source is not None and not may_view(request, source):
            raise PermissionDenied
        try:
            sheet = sheet_of(run, name)
        except NoSolvedData as why:
            raise Http404(str(why)) from why
        if sheet is None:
            raise Http404(f"A run has no table {name}.")
        return sheet

    @method_decorator([require_safe, never_cache])
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the run; it has no form."""
        if not object_id.isdecimal():
            raise Http404("There is no such run.")
        run = self.run_to_view(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Run {run.pk}",
            "opts": self.opts,
            "original": run,
            "run": run,
            "badge": state_badge(run.state),
            "advice": advice(run),
            "now": state_of(run),
            "stop_url": self.stop_url(request, run),
            "state_url": reverse("admin:planning_run_state", args=[run.pk]),
            "changes_url": "" if run.is_open else reverse("admin:planning_run_changes", args=[run.pk]),
            "has_plan": has_plan(run),
            "figures": figures(run) if has_plan(run) else [],
            "facts": facts(run, may_see_sets=request.user.has_perm("planning.view_runset")),
            "parts": [] if run.is_open else parts_of(request, run, has_plan=has_plan(run)),
            "impossible": impossible(request, run),
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
