"""The page of a scenario: its changes with their effects, names to choose from, and Check, which saves nothing."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from planning.exchange.changes import changeable_fields
from planning.exchange.plan_rows import value_path
from planning.models import BASELINE, TABLE_BY_NAME, FormatTable, Scenario, ScenarioChange
from planning.scenarios import put_in_order
from planning.snapshot import Change, ScenarioEffects, effects_of_draft, scenario_effects
from planning.snapshot.read import rows_of_plant

from .access import row_to_see
from .scenario_words import ShownEffect, shown_effect, summary

NAMES_OFFERED = 50
EFFECT, RESULT = "admin/planning/scenario/effect.html", "admin/planning/scenario/result.html"


class ScenarioPage:
    """Mixed into the admin of scenarios."""

    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        def door(tail: str, view: Any, name: str) -> URLPattern:
            return path(f"<int:pk>/{tail}/", self.admin_site.admin_view(view), name=f"planning_scenario_{name}")

        return [
            door("rows", self.names_view, "rows"),
            door("check", self.check_view, "check"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def scenario(self, request: HttpRequest, pk: int) -> Scenario:
        """Return the scenario of an address, for a user who may see its plant."""
        return row_to_see(request, Scenario.objects.select_related("plant", "parent"), pk)

    # --- names to choose from -------------------------------------------------------------------

    @method_decorator((never_cache, require_safe))
    def names_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        """Answer with names of rows of a table that hold the words of `q`, for who may see both."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        scenario = self.scenario(request, pk)
        table = data_table(request.GET.get("table", ""))
        if table is None:
            raise Http404
        if not self.admin_site.get_model_admin(table.model).has_view_permission(request):
            raise PermissionDenied
        names = row_names(table, scenario.plant_id, request.GET.get("q", "")[:200])
        return JsonResponse({"rows": names[:NAMES_OFFERED], "more": len(names) > NAMES_OFFERED})

    # --- effects --------------------------------------------------------------------------------

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        scenario = kwargs.get("obj")
        if scenario is not None and scenario.pk and scenario.name != BASELINE:
            context |= self.page_context(request, scenario, context["inline_admin_formsets"])
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]

    def page_context(self, request: HttpRequest, scenario: Scenario, inlines: list[Any]) -> dict[str, Any]:
        """Return what the template of the changes needs; each stored form gets its effect."""
        stored = Scenario.objects.get(pk=scenario.pk)  # the form may hold other values, which are not saved
        effects = scenario_effects(stored.plant_id, stored.name)
        shown = shown_by_key(stored, effects)
        for inline in inlines:
            for form in inline.formset.initial_forms:
                form.shown = None if inline.formset.is_bound else shown.get(form.instance.pk)
        inherited = [(change.scenario, shown_effect(change)) for change in effects.changes]
        return {
            "inherited_changes": [pair for pair in inherited if pair[0] != stored.name],
            "own_changes": list(shown.values()),
            "scenario_result": summary(effects, stored.plant_id, is_draft=False),
            "rows_url": reverse("admin:planning_scenario_rows", args=[stored.pk]),
            "check_url": reverse("admin:planning_scenario_check", args=[stored.pk]),
        }

    # --- Check ----------------------------------------------------------------------------------

    @method_decorator((never_cache, require_POST))
    def check_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Answer with the effects of changes as they are entered; nothing is saved."""
        scenario = self.scenario(request, pk)
        if not self.has_change_permission(request, scenario):  # type: ignore[attr-defined]
            raise PermissionDenied
        name, plant_id = scenario.name, scenario.plant_id
        form = self.get_form(request, scenario, change=True)(request.POST, instance=scenario)  # type: ignore[attr-defined]
        wrong_fields = [] if form.is_valid() else [text for texts in form.errors.values() for text in texts]
        parent = form.cleaned_data.get("parent")
        formset = self.bound_changes(request, scenario)
        draft = Draft(formset)
        effects = effects_of_draft(plant_id, name, draft.changes, parent.name if parent and not wrong_fields else None)
        own = [change for change in effects.changes if change.scenario == name]
        rows = {prefix: rendered(shown_effect(own[place])) for prefix, place in draft.places.items()}
        rows |= {prefix: rendered(ShownEffect(errors=texts)) for prefix, texts in draft.wrong.items()}
        result = summary(effects, plant_id, is_draft=True)
        result |= {"wrong_fields": wrong_fields, "refused": result["refused"] + len(draft.wrong)}
        return JsonResponse({"rows": rows, "result": render_to_string(RESULT, {"result": result})})

    def bound_changes(self, request: HttpRequest, scenario: Scenario) -> Any:
        """Return the formset of the changes that were sent; Baseline has none, and neither has who may not see them."""
        formsets = self.get_formsets_with_inlines(request, scenario)  # type: ignore[attr-defined]
        for kind, inline in formsets:
            if inline.model is ScenarioChange:
                return kind(**self.get_formset_kwargs(request, scenario, inline, "scenario_changes"))  # type: ignore[attr-defined]
        raise PermissionDenied

    # --- saving ---------------------------------------------------------------------------------

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)  # type: ignore[misc]
        if formset.model is ScenarioChange:
            put_in_order(form.instance, [row.instance.pk for row in formset.ordered_forms if row.instance.pk])


class Draft:
    """The changes of a formset that is not saved, in their order, those of other pages of it among them."""

    def __init__(self, formset: Any) -> None:
        formset.is_valid()
        shown = {form.instance.pk for form in formset.initial_forms}
        stored = list(formset.instance.scenario_changes.order_by("pk"))
        first = min(shown, default=float("inf"))
        self.changes = [change_of(row) for row in stored if row.pk < first]
        self.places: dict[str, int] = {}  # prefix of a form -> place of its change
        self.wrong: dict[str, list[str]] = {}  # prefix of a form -> what is wrong with it
        for form in sorted(formset.forms, key=place_of):
            if not form.has_changed() and not form.instance.pk:
                continue
            if form.cleaned_data.get("DELETE"):
                continue
            if form.errors:
                self.wrong[form.prefix] = [
                    in_words(name, text) for name, texts in form.errors.items() for text in texts
                ]
                continue
            self.places[form.prefix] = len(self.changes)
            self.changes.append(change_of(form.instance))
        self.changes += [change_of(row) for row in stored if row.pk > first and row.pk not in shown]


def place_of(form: Any) -> float:
    """Return the place that a form asks for."""
    place = getattr(form, "cleaned_data", {}).get("ORDER")
    return float("inf") if place is None else float(place)


def in_words(name: str, text: str) -> str:
    """Return what is wrong with a field of a change."""
    return f"{name.capitalize()}: {text}" if name != "__all__" else text


def change_of(row: ScenarioChange) -> Change:
    """Return a row as a change to try."""
    return Change(row.table, row.row, row.field, row.operation, row.value, row.period)


def shown_by_key(scenario: Scenario, effects: ScenarioEffects) -> dict[int, ShownEffect]:
    """Return the effect of each of a scenario's own changes by primary key."""
    rows = list(scenario.scenario_changes.order_by("pk").values_list("pk", "note"))
    own = [change for change in effects.changes if change.scenario == scenario.name]
    shown = {}
    for (pk, note), change in zip(rows, own, strict=False):
        shown[pk] = shown_effect(change)
        shown[pk].note = note
    return shown


def rendered(effect: ShownEffect) -> str:
    """Return an effect as the page's part for it."""
    return render_to_string(EFFECT, {"effect": effect})


def data_table(name: str) -> FormatTable | None:
    """Return the table whose rows a change of this table names."""
    table = TABLE_BY_NAME.get(name)
    if table is None or not changeable_fields(name):
        return None
    return TABLE_BY_NAME[table.parent] if table.parent else table


def row_names(table: FormatTable, plant_id: int, words: str) -> list[str]:
    """Return names of a table's rows that hold every word: one more than are offered, where there are more."""
    paths = [value_path(table, column) for column in table.key]
    found = rows_of_plant(table.model, plant_id)
    for word in words.replace("/", " ").split():
        held = Q()
        for lookup in paths:
            held |= Q(**{f"{lookup}__icontains": word})
        found = found.filter(held)
    rows = found.values_list(*paths)[: NAMES_OFFERED + 1]
    return [" / ".join(str(part) for part in row if part) for row in rows]
