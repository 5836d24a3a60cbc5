"""Scenarios and their changes, and the doors to running them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action
from unfold.enums import ActionVariant

from planning.models import BASELINE, Run, Scenario, ScenarioChange

from .amounts import NOTHING
from .base import KeptRows, PlanAdmin, PlanInline
from .changes import ScenarioChangeForm, ScenarioChangeFormSet, period_field
from .forms import PlanForm
from .run_scenario import may_run, run_options_url, run_view
from .run_words import state_badge
from .scenario_doors import ScenarioDoors
from .scenario_page import ScenarioPage


class ScenarioForm(PlanForm):
    """A scenario: Baseline stands alone, and parents form no circle."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        parent = cleaned.get("parent")
        if parent is None:
            return cleaned
        if cleaned.get("name") == BASELINE:
            self.add_error("parent", f"{BASELINE} is the data as they are. Leave its parent blank.")
        ancestor, seen = parent, set()
        while ancestor is not None and ancestor.pk not in seen:
            if ancestor.pk == self.instance.pk:
                text = f'"{parent}" comes from this scenario, so it can\'t be its parent. Choose another one.'
                self.add_error("parent", text)
                break
            seen.add(ancestor.pk)
            ancestor = ancestor.parent
        return cleaned


class ScenarioChangeInline(PlanInline):
    model = ScenarioChange
    form = ScenarioChangeForm
    formset = ScenarioChangeFormSet
    fields = ("table", "row", "field", "period", "operation", "value", "note")
    verbose_name_plural = "Changes"
    template = "admin/planning/scenario/changes.html"
    tab = False

    class Media:
        js = ("planner/scenario_changes.js",)

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, can_order=True, **kwargs)
        formset.form.base_fields["period"] = period_field(obj)
        return formset


@admin.register(Scenario)
class ScenarioAdmin(ScenarioPage, ScenarioDoors, KeptRows, PlanAdmin):
    form = ScenarioForm
    list_display = ("name", "plant", "parent", "change_count", "goal_mode", "last_run", "description")
    list_filter = ("plant",)
    list_select_related = ("plant", "parent")
    search_fields = ("name", "description")
    ordering = ("plant__name", "id")
    inlines = (ScenarioChangeInline,)
    fieldsets = ((None, {"fields": (("plant", "name"), ("parent", "goal_mode"), "description")}),)
    actions = ("run_scenario", "duplicate_scenarios")
    actions_detail = ("run_this_scenario", "duplicate_this", "promote_this")
    empty_hint = "A plant brings its scenario Baseline with it. Add a plant first."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Scenario]:
        last = Run.objects.filter(plant=OuterRef("plant"), scenario_name=OuterRef("name")).order_by("-id")
        changes = (
            ScenarioChange.objects.filter(scenario=OuterRef("pk"))
            .order_by()
            .values("scenario")
            .annotate(count=Count("pk"))
            .values("count")
        )
        rows: QuerySet[Scenario] = super().get_queryset(request)
        return rows.annotate(
            changes=Subquery(changes),
            last_run_id=Subquery(last.values("pk")[:1]),
            last_run_state=Subquery(last.values("state")[:1]),
        )

    @admin.display(description="changes")
    def change_count(self, scenario: Any) -> SafeString:
        return format_html('<span class="pl-number">{}</span>', scenario.changes or 0)

    @admin.display(description="last run")
    def last_run(self, scenario: Any) -> str | SafeString:
        if scenario.last_run_id is None:
            return NOTHING
        url = reverse("admin:planning_run_change", args=[scenario.last_run_id])
        return format_html('<a href="{}">{}</a>', url, state_badge(scenario.last_run_state))

    # --- Baseline: the data as they are ---------------------------------------------------------

    def get_readonly_fields(self, request: HttpRequest, obj: Scenario | None = None) -> tuple[str, ...]:
        fields: tuple[str, ...] = super().get_readonly_fields(request, obj)
        return (*fields, "name", "parent") if is_baseline(obj) else fields

    def get_inlines(self, request: HttpRequest, obj: Scenario | None) -> list[Any]:
        return [] if is_baseline(obj) else super().get_inlines(request, obj)

    def why_kept(self, row: Scenario) -> str:
        return "it goes only with its plant" if is_baseline(row) else ""

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        if is_baseline(kwargs.get("obj")):
            context["show_delete"] = False
        return super().render_change_form(request, context, *args, **kwargs)

    # --- running --------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        return [
            path("run/", self.admin_site.admin_view(self.run_view), name="planning_scenario_run"),
            *super().get_urls(),
        ]

    def run_view(self, request: HttpRequest) -> HttpResponse:
        return run_view(self.admin_site, request)

    def has_run_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_run(request)

    @admin.action(description="Run scenarios", permissions=["run"])
    def run_scenario(self, request: HttpRequest, queryset: QuerySet[Scenario]) -> HttpResponse:
        return redirect(run_options_url(queryset))

    @action(description="Run scenario", permissions=["run"], icon="play_arrow", variant=ActionVariant.PRIMARY)
    def run_this_scenario(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return redirect(run_options_url([self.meant(request, object_id)]))


def is_baseline(scenario: Scenario | None) -> bool:
    """Whether a stored scenario is the one without changes."""
    return scenario is not None and scenario.pk is not None and scenario.name == BASELINE
