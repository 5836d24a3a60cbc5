"""The list of sets of runs, and the page of one set: its runs, how many are in each state, and a stop."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from unfold.admin import ModelAdmin

from planning.models import Run, RunSet
from planning.runs import SetProgress, look_after, set_progress, stop_set, variation_in_words

from .access import RowsToSee, row_to_see
from .amounts import NOTHING, money, percent, seconds
from .base import KeptRows
from .compare import ComparedSets, url_for_set
from .list_exports import ExportedList
from .run_words import state_badge
from .runs import HEAVY
from .sweeps import sweep_context, sweep_urls

RUNS_SHOWN = 500
LOOKED_AFTER = 50  # runs under way; each asks one query
OPEN = Q(runs__state__in=Run.OPEN_STATES)


@admin.register(RunSet)
class RunSetAdmin(ComparedSets, ExportedList, KeptRows, RowsToSee, ModelAdmin):
    """Sets are looked at and stopped; nobody adds or edits one by hand."""

    list_display = ("number", "name", "plant", "run_count", "ended_count", "asked_for", "user")
    list_display_links = ("number", "name")
    export_columns = (
        ("set", "id"),
        ("name", "name"),
        ("plant", "plant__name"),
        ("runs", "count"),
        ("open", "open_count"),
        ("asked for (UTC)", "created_at"),
        ("user", "user__username"),
        ("about", "about"),
    )
    list_filter = ("plant",)
    list_select_related = ("plant", "user")
    search_fields = ("name", "about", "plant__name", "=id")
    list_per_page = 50
    show_full_result_count = False
    empty_hint = 'Choose several scenarios in their list and "Run scenarios".'

    def get_queryset(self, request: HttpRequest) -> QuerySet[RunSet]:
        rows: QuerySet[RunSet] = super().get_queryset(request)
        return rows.annotate(count=Count("runs"), open_count=Count("runs", filter=OPEN))

    # --- rights ---------------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_stop_permission(self, request: HttpRequest) -> bool:
        """Whether the user may stop runs."""
        return bool(request.user.has_perm("planning.stop_run"))

    def why_kept(self, row: RunSet) -> str:
        if set_progress(run_set=row).is_open:
            return "it has not ended yet"
        return "the plan of one of its runs is approved" if row.runs.filter(approvals__isnull=False).exists() else ""

    # --- list -----------------------------------------------------------------------------------

    @admin.display(description="set", ordering="id")
    def number(self, row: RunSet) -> str:
        return str(row.pk)

    @admin.display(description="runs", ordering="count")
    def run_count(self, row: Any) -> SafeString:
        return format_html('<span class="pl-number">{}</span>', row.count)

    @admin.display(description="ended")
    def ended_count(self, row: Any) -> SafeString:
        return format_html('<span class="pl-number">{}</span>', row.count - row.open_count)

    @admin.display(description="asked for (UTC)", ordering="created_at")
    def asked_for(self, row: RunSet) -> SafeString:
        return format_html('<span class="pl-flag">{}</span>', f"{row.created_at:%Y-%m-%d %H:%M}")

    # --- one set --------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        return [
            path("<int:set_id>/state.json", site.admin_view(self.state_view), name="planning_runset_state"),
            path("<int:set_id>/stop/", site.admin_view(self.stop_view), name="planning_runset_stop"),
            *sweep_urls(self),
            *super().get_urls(),
        ]

    def set_to_view(self, request: HttpRequest, set_id: int | str) -> RunSet:
        """Return the set, for a user who may see it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return row_to_see(request, RunSet.objects.select_related("plant", "user", "tried_for"), set_id)

    @method_decorator([require_safe, never_cache])
    def state_view(self, request: HttpRequest, set_id: int) -> JsonResponse:
        """Answer what the page of an open set asks for every moment; the same parts as that of a run."""
        run_set = self.set_to_view(request, set_id)
        at_work = run_set.runs.exclude(state=Run.State.QUEUED).filter(state__in=Run.OPEN_STATES)
        waiting = run_set.runs.filter(state=Run.State.QUEUED)
        for run in [*at_work.order_by("id")[:LOOKED_AFTER], *waiting.order_by("id")[:1]]:
            look_after(run)
        progress = set_progress(run_set=run_set)
        return JsonResponse(
            {
                "state": word(progress),
                "label": word(progress),
                "meaning": "",
                "open": progress.is_open,
                "elapsed": elapsed(run_set, progress),
                "standing": in_words(progress),
                "stop": stop_label(run_set, progress),
            }
        )

    @method_decorator(require_POST)
    def stop_view(self, request: HttpRequest, set_id: int) -> HttpResponse:
        """Stop the set: those that wait end at once, the others keep their best plans; asked again they abort."""
        run_set = self.set_to_view(request, set_id)
        if not self.has_stop_permission(request):
            raise PermissionDenied
        if set_progress(run_set=run_set).is_open:
            stop_set(run_set=run_set, who=request.user.get_username())
            messages.success(request, f"Set {run_set.pk} was asked to stop: {in_words(set_progress(run_set=run_set))}")
        else:
            messages.info(request, f"Set {run_set.pk} had ended before.")
        return redirect("admin:planning_runset_change", run_set.pk)

    @method_decorator([require_safe, never_cache])
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the set; it has no form."""
        if not object_id.isdecimal():
            raise Http404("There is no such set.")
        run_set = self.set_to_view(request, object_id)
        progress = set_progress(run_set=run_set)
        stoppable = progress.is_open and self.has_stop_permission(request)
        deletable = not progress.is_open and self.has_delete_permission(request, run_set)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Set {run_set.pk}",
            "opts": self.opts,
            "original": run_set,
            "run_set": run_set,
            "is_open": progress.is_open,
            "word": word(progress),
            "badges": badges(progress),
            "meaning": in_words(progress),
            "elapsed": elapsed(run_set, progress),
            "stop": stop_label(run_set, progress),
            "stop_url": reverse("admin:planning_runset_stop", args=[run_set.pk]) if stoppable else "",
            "delete_url": reverse("admin:planning_runset_delete", args=[run_set.pk]) if deletable else "",
            "state_url": reverse("admin:planning_runset_state", args=[run_set.pk]),
            "sweep": sweep_context(run_set, linked=request.user.has_perm("planning.view_run")),
            "rows": rows(run_set, linked=request.user.has_perm("planning.view_run")),
            "more": max(progress.total - RUNS_SHOWN, 0),
            "compare_url": url_for_set(request, run_set),
            "runs_url": f"{reverse('admin:planning_run_changelist')}?run_set__id__exact={run_set.pk}",
        }
        return TemplateResponse(request, "admin/planning/runset/page.html", context)


def word(progress: SetProgress) -> str:
    """Return whether the set is under way, in a word."""
    return "Under way" if progress.is_open else "Ended"


def in_words(progress: SetProgress) -> str:
    """Return how many runs are in which state."""
    counts = ", ".join(f"{count} {Run.State(state).label.lower()}" for state, count in progress.counts.items())
    return f"{progress.ended} of {progress.total} runs have ended: {counts}."


def badges(progress: SetProgress) -> SafeString:
    """Return the number of runs in each state, coloured."""
    return format_html_join(" ", "{} {}", ((count, state_badge(state)) for state, count in progress.counts.items()))


def elapsed(run_set: RunSet, progress: SetProgress) -> str:
    """Return how long the set has been under way, or took."""
    last = run_set.runs.aggregate(last=Max("finished_at"))["last"]
    end = timezone.now() if progress.is_open or last is None else last
    return seconds(round(max((end - run_set.created_at).total_seconds(), 0.0), 1))


def stop_label(run_set: RunSet, progress: SetProgress) -> str:
    """Return what the button does next; "" where nothing is left to ask."""
    if not progress.is_open:
        return ""
    if progress.counts.get(Run.State.QUEUED) or run_set.runs.filter(state=Run.State.RUNNING).exists():
        return "Stop and keep the best plans"
    asked_once = run_set.runs.filter(state=Run.State.STOPPING, stop_requests__lt=2).exists()
    return "Abort without plans" if asked_once else ""


def rows(run_set: RunSet, *, linked: bool) -> list[dict[str, Any]]:
    """Return the runs of the set in their order, as the page shows them."""
    heavy = [name for name in HEAVY if name != "variation"]
    found = []
    for run in run_set.runs.defer(*heavy).order_by("id")[:RUNS_SHOWN]:
        found.append(
            {
                "number": run.pk,
                "url": reverse("admin:planning_run_change", args=[run.pk]) if linked else "",
                "scenario": run.scenario_name,
                "changes": NOTHING if run.variation is None else variation_in_words(run.variation),
                "badge": state_badge(run.state),
                "profit": money(run.objective, run.currency),
                "gap": percent(run.gap),
                "reason": run.reason if run.state == Run.State.FAILED else "",
            }
        )
    return found
