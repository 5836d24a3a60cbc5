"""Duplicating scenarios, and promoting one to the base data."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from planning.models import BASELINE, Scenario
from planning.models.fields import NAME_LENGTH, validate_name
from planning.scenarios import NameTaken, NotPromoted, Promotion, duplicate, free_name, preview, promote
from planning.snapshot import DataProblems

from .row_links import RowLinks
from .scenario_words import SHOWN, edit_line, problem_line

MOST_COPIES = 20


class NameForm(forms.Form):
    """The name of a copy."""

    name = forms.CharField(max_length=NAME_LENGTH, validators=[validate_name], widget=UnfoldAdminTextInputWidget)


class ScenarioDoors:
    """Mixed into the admin of scenarios."""

    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        def door(tail: str, view: Any, name: str) -> URLPattern:
            return path(f"<int:pk>/{tail}/", self.admin_site.admin_view(view), name=f"planning_scenario_{name}")

        return [
            door("duplicate", self.duplicate_view, "duplicate"),
            door("promote", self.promote_view, "promote"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def meant(self, request: HttpRequest, object_id: str) -> Scenario:
        """Return the scenario on whose page a button was pressed. Raises Http404."""
        scenario: Scenario | None = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if scenario is None:
            raise Http404("There is no such scenario.")
        return scenario

    # --- duplicating ----------------------------------------------------------------------------

    def has_duplicate_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        may_see: bool = self.has_view_permission(request)  # type: ignore[attr-defined]
        return may_see and request.user.has_perms(["planning.add_scenario", "planning.add_scenariochange"])

    @admin.action(description="Duplicate scenarios", permissions=["duplicate"])
    def duplicate_scenarios(self, request: HttpRequest, queryset: QuerySet[Scenario]) -> HttpResponse | None:
        scenarios = list(queryset.order_by("pk")[: MOST_COPIES + 1])
        if len(scenarios) > MOST_COPIES:
            messages.error(request, f"Duplicate at most {MOST_COPIES} scenarios at once.")
            return None
        if len(scenarios) == 1:
            return redirect("admin:planning_scenario_duplicate", scenarios[0].pk)
        names = [self.copy(request, scenario, free_name(scenario)).name for scenario in scenarios]
        messages.success(request, f"{len(names)} scenarios were duplicated: {', '.join(names)}.")
        return None

    @action(description="Duplicate", permissions=["duplicate"], icon="content_copy")
    def duplicate_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return redirect("admin:planning_scenario_duplicate", self.meant(request, object_id).pk)

    def copy(self, request: HttpRequest, scenario: Scenario, name: str) -> Scenario:
        """Return the copy, whose history says what it was made from."""
        made = duplicate(scenario, name)
        self.log_addition(request, made, f'Duplicated from "{scenario.name}".')  # type: ignore[attr-defined]
        return made

    def duplicate_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for the name of the copy; on POST make it and show it."""
        scenario = self.scenario(request, pk)  # type: ignore[attr-defined]
        if not self.has_duplicate_permission(request):
            raise PermissionDenied
        form = NameForm(request.POST if request.method == "POST" else None, initial={"name": free_name(scenario)})
        if request.method == "POST" and form.is_valid():
            try:
                made = self.copy(request, scenario, form.cleaned_data["name"])
            except (NameTaken, ValidationError) as wrong:
                form.add_error("name", wrong if isinstance(wrong, ValidationError) else str(wrong))
            else:
                messages.success(request, f'"{made.name}" has the changes of "{scenario.name}".')
                return redirect("admin:planning_scenario_change", made.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": "Duplicate scenario",
            "form": form,
            "scenario": scenario,
            "change_count": scenario.scenario_changes.count(),
        }
        return TemplateResponse(request, "admin/planning/scenario/duplicate.html", context)

    # --- promoting ------------------------------------------------------------------------------

    def has_promote_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("planning.promote_scenario")

    @action(description="Promote", permissions=["promote"], icon="upgrade")
    def promote_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return redirect("admin:planning_scenario_promote", self.meant(request, object_id).pk)

    def promote_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what would become of the base data; on POST make it so."""
        scenario = self.scenario(request, pk)  # type: ignore[attr-defined]
        if not self.has_promote_permission(request):
            raise PermissionDenied
        refused: list[Any] = []
        if request.method == "POST":
            try:
                done = promote(scenario, user=request.user, digest=request.POST.get("digest", ""))
            except NotPromoted as reason:
                messages.error(request, str(reason))
            except DataProblems as problems:
                refused = problems.errors
            else:
                messages.success(request, said_of(done))
                return redirect(self.after_promotion(request, scenario))
        context = {**self.admin_site.each_context(request), "title": "Promote scenario", "is_baseline": False}
        if scenario.name == BASELINE:
            context |= {"scenario": scenario, "is_baseline": True}
        else:
            context |= promotion_context(preview(scenario), refused)
        context["back_url"] = self.after_promotion(request, scenario)
        return TemplateResponse(request, "admin/planning/scenario/promote.html", context)

    def after_promotion(self, request: HttpRequest, scenario: Scenario) -> str:
        """Return the scenario's page, or the overview for who may not see it."""
        if self.has_view_permission(request):  # type: ignore[attr-defined]
            return reverse("admin:planning_scenario_change", args=[scenario.pk])
        return reverse("admin:index")


def promotion_context(promotion: Promotion, refused: list[Any]) -> dict[str, Any]:
    """Return what the page of a promotion shows."""
    links = RowLinks(promotion.scenario.plant_id)
    owners = dict.fromkeys(change.scenario for change in promotion.effects.changes)
    ancestors = [name for name in owners if name != promotion.scenario.name]
    errors = [*refused, *promotion.effects.errors]
    return {
        "scenario": promotion.scenario,
        "errors": [problem_line(problem, links) for problem in errors],
        "edits": [edit_line(edit, links) for edit in promotion.edits[:SHOWN]],
        "count": len(promotion.edits),
        "new_rows": len({(edit.table, edit.row, edit.period) for edit in promotion.edits if edit.is_new_row}),
        "others": promotion.others,
        "ancestors": ancestors,
        "digest": promotion.digest,
    }


def said_of(promotion: Promotion) -> str:
    """Return what was done."""
    count = len(promotion.edits)
    values = "1 value is" if count == 1 else f"{count} values are"
    return f'"{promotion.scenario.name}" was promoted: {values} in the base data of {promotion.scenario.plant.name}.'
