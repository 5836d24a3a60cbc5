"""Plants and their periods."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Max, Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from unfold.decorators import action
from unfold.enums import ActionVariant

from planning.entry import PERIOD_TABLES
from planning.models import (
    BASELINE,
    TABLES,
    Customer,
    CustomerOrder,
    Goal,
    Machine,
    Period,
    Plant,
    Product,
    ProductionRecipe,
    RawMaterial,
    Run,
    RunSet,
    Scenario,
    ScenarioChange,
)

from .access import is_limited, plant_path
from .amounts import flag_column
from .base import PlanAdmin, PlanInline, PlantAutocompleteView
from .dashboard import sample_view
from .grid import grid_url, may_see_grid
from .health import health_json, health_url, health_view
from .list_exports import may_export
from .plan_files import export_view, template_view
from .run_scenario import may_run, run_options_url
from .uploads import faults_view, may_import, staged_view, upload_view

TABLES_OF_A_PLANT: tuple[type[Model], ...] = (
    Product,
    ProductionRecipe,
    Machine,
    RawMaterial,
    Customer,
    CustomerOrder,
    Goal,
    Scenario,
    Run,
    RunSet,
)


class PeriodInline(PlanInline):
    model = Period
    fields = ("sequence", "name", "start_date", "end_date")
    verbose_name_plural = "Periods"
    per_page = 60
    tab = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Period]:
        return super().get_queryset(request).order_by("sequence")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        if obj is not None and "sequence" in formset.form.base_fields:
            formset.form.base_fields["sequence"].initial = next_sequence(obj.pk)
        return formset


def next_sequence(plant_id: int) -> int:
    """Return the place after the plant's last period."""
    last = Period.objects.filter(plant=plant_id).aggregate(last=Max("sequence"))["last"]
    return (last or 0) + 1


@admin.register(Plant)
class PlantAdmin(PlanAdmin):
    owner = ""
    list_display = ("name", "currency", flag_column("charge_materials", title="materials", on="charged", off="net"))
    search_fields = ("name",)
    inlines = (PeriodInline,)
    fieldsets = ((None, {"fields": (("name", "currency"), "charge_materials")}),)
    empty_hint = (
        "Add a plant here, read one from a workbook with `manage.py import_plan FILE`, "
        "or make the sample plant with `make demo`."
    )
    actions = ("run_baseline",)
    actions_detail = ("run_this_baseline",)
    change_form_outer_after_template = "admin/planning/plant/tables.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(PlantAutocompleteView.as_view(admin_site=self.admin_site))
        return [
            path("autocomplete/", view, name="planning_autocomplete"),
            path("upload/", self.admin_site.admin_view(self.upload_view), name="planning_plant_upload"),
            path("upload/<int:upload_id>/", self.admin_site.admin_view(self.staged_view), name="planning_plant_staged"),
            path(
                "upload/<int:upload_id>/faults.<slug:kind>",
                self.admin_site.admin_view(self.faults_view),
                name="planning_plant_faults",
            ),
            path("template.xlsx", self.admin_site.admin_view(template_view), name="planning_plant_template"),
            path("<int:plant_id>/plan.xlsx", self.admin_site.admin_view(export_view), name="planning_plant_export"),
            path("<int:plant_id>/health/", self.admin_site.admin_view(self.health_view), name="planning_plant_health"),
            path(
                "<int:plant_id>/health.json",
                self.admin_site.admin_view(self.health_json),
                name="planning_plant_health_json",
            ),
            path("sample/", self.admin_site.admin_view(self.sample_view), name="planning_plant_sample"),
            *super().get_urls(),
        ]

    @method_decorator([require_http_methods(["GET", "POST"]), never_cache])
    def upload_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for the workbook of a plant."""
        return upload_view(self.admin_site, request)

    @method_decorator([require_http_methods(["GET", "POST"]), never_cache])
    def staged_view(self, request: HttpRequest, upload_id: int) -> HttpResponse:
        """Show what an uploaded workbook would change, and import it."""
        return staged_view(self.admin_site, request, upload_id)

    @method_decorator([require_safe, never_cache])
    def faults_view(self, request: HttpRequest, upload_id: int, kind: str) -> HttpResponseBase:
        """Return what is wrong with an uploaded file."""
        return faults_view(request, upload_id, kind)

    @method_decorator([require_safe, never_cache])
    def health_view(self, request: HttpRequest, plant_id: int) -> HttpResponse:
        """Show what is wrong with the plant's data."""
        return health_view(self.admin_site, request, plant_id)

    @method_decorator([require_safe, never_cache])
    def health_json(self, request: HttpRequest, plant_id: int) -> HttpResponse:
        """Answer in a word what is wrong with the plant's data."""
        return health_json(request, plant_id)

    @method_decorator(require_POST)
    def sample_view(self, request: HttpRequest) -> HttpResponse:
        """Load the sample plant."""
        return sample_view(request)

    def save_model(self, request: HttpRequest, obj: Plant, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change:
            Scenario.objects.create(plant=obj, name=BASELINE)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {**(extra_context or {}), "plant_tables": self.tables(request, object_id)}
        if object_id.isdecimal():
            context["health_url"] = health_url(int(object_id))
            if may_export(request):
                context["export_url"] = reverse("admin:planning_plant_export", args=[object_id])
            if may_import(request):
                context["upload_url"] = f"{reverse('admin:planning_plant_upload')}?plant={object_id}"
        return super().change_view(request, object_id, form_url, context)

    def tables(self, request: HttpRequest, plant_id: str) -> list[dict[str, Any]]:
        """Return what there is in a plant: a link and a count for each table that the user may see."""
        if not plant_id.isdecimal():
            return []
        tables = []
        for model in TABLES_OF_A_PLANT:
            if not self.admin_site.get_model_admin(model).has_view_permission(request):
                continue
            lookup = plant_path(model)
            url = reverse(f"admin:planning_{model._meta.model_name}_changelist")
            tables.append(
                {
                    "name": str(model._meta.verbose_name_plural),
                    "count": model._default_manager.filter(**{lookup: plant_id}).count(),
                    "url": f"{url}?{lookup}__id__exact={plant_id}",
                }
            )
        for by_period in PERIOD_TABLES.values():
            if may_see_grid(self.admin_site, request, by_period):
                model = by_period.table.model
                count = model._default_manager.filter(**{plant_path(model): plant_id}).count()
                name = str(model._meta.verbose_name_plural)
                tables.append({"name": name, "count": count, "url": grid_url(by_period, int(plant_id))})
        return tables

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        """Count what goes with the plants instead of listing it: there may be 100,000 rows."""
        counts, perms_needed = {"plants": len(objs)}, set()
        if not self.has_delete_permission(request):
            perms_needed.add("plant")
        models: list[type[Model]] = [Run, RunSet]
        models += [table.model for table in TABLES if table.model is not Plant]
        for model in models:
            count = model._default_manager.filter(**{f"{plant_path(model)}__in": objs}).count()
            if not count:
                continue
            counts[str(model._meta.verbose_name_plural)] = count
            if model is not ScenarioChange and not self.admin_site.get_model_admin(model).has_delete_permission(
                request
            ):
                perms_needed.add(str(model._meta.verbose_name))
        return [str(plant) for plant in objs], counts, perms_needed, []

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether the user may add a plant: who is limited to some would not see it."""
        return super().has_add_permission(request) and not is_limited(request)

    def has_run_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_run(request)

    @admin.action(description="Run Baseline", permissions=["run"])
    def run_baseline(self, request: HttpRequest, queryset: QuerySet[Plant]) -> HttpResponse | None:
        return self.to_options(request, queryset)

    @action(description="Run Baseline", permissions=["run"], icon="play_arrow", variant=ActionVariant.PRIMARY)
    def run_this_baseline(self, request: HttpRequest, object_id: str) -> HttpResponse:
        plant = self.get_object(request, object_id)
        plants = Plant.objects.filter(pk__in=[plant.pk] if plant is not None else [])
        return self.to_options(request, plants) or redirect("admin:planning_plant_changelist")

    def to_options(self, request: HttpRequest, plants: QuerySet[Plant]) -> HttpResponse | None:
        """Go to the page with the options of a run."""
        baselines = Scenario.objects.filter(plant__in=plants, name=BASELINE)
        for plant in plants.exclude(scenarios__in=baselines):
            messages.error(request, f'"{plant}" has no scenario "{BASELINE}". Add it, then run it.')
        return redirect(run_options_url(baselines)) if baselines else None


@admin.register(Period)
class PeriodAdmin(PlanAdmin):
    actions = ()  # no number or switch to change in several rows
    list_display = ("name", "plant", "sequence", "start_date", "end_date")
    list_filter = ("plant",)
    list_select_related = ("plant",)
    search_fields = ("name",)
    ordering = ("plant__name", "sequence")
    fieldsets = ((None, {"fields": (("plant", "name"), "sequence", ("start_date", "end_date"))}),)
    empty_hint = "A plant without periods is planned as one period. Add periods to plan week by week."

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin with the place after the last period."""
        initial = super().get_changeform_initial_data(request)
        plant = initial.get("plant")
        return {"sequence": next_sequence(plant)} | initial if isinstance(plant, int) else initial
