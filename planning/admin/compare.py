"""Comparing two to six runs: the list actions that lead there, the page, and its files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from planning.exchange import ExportRefused
from planning.insight import (
    CannotCompare,
    ComparedInputs,
    Comparison,
    compare,
    comparison_sheets,
    only_differences,
    plan_sheet,
)
from planning.insight.comparison import LEAST, MOST
from planning.models import Run, RunSet
from planning.runs import variation_in_words

from .access import rows_to_see
from .amounts import money
from .compare_tables import comparison_tables, inputs_table, judged
from .navigation import may_view
from .run_words import meaning, state_badge
from .sheet_files import csv_file, xlsx_file

ONLY = "differences"  # ?only=differences

may_compare = may_view("planning.run")


def compare_url(runs: Sequence[int], *, only: bool = False, name: str = "compare") -> str:
    """Return where these runs are compared, the first one as the base; `name` is that of the page or of a file."""
    query = [("run", run) for run in runs] + ([("only", ONLY)] if only else [])
    return f"{reverse(f'admin:planning_run_{name}')}?{urlencode(query)}"


def url_for_set(request: HttpRequest, run_set: RunSet) -> str:
    """Return where the runs of a set are compared; "" for whom may not see them, or where they are too many."""
    runs = list(run_set.runs.order_by("id").values_list("pk", flat=True)[: MOST + 1])
    return compare_url(runs) if may_compare(request) and LEAST <= len(runs) <= MOST else ""


class ComparedRuns:
    """What the list of runs offers: the action, the page and its files."""

    actions = ("compare_runs",)

    def has_compare_permission(self, request: HttpRequest) -> bool:
        """Whether the user may see runs."""
        return may_compare(request)

    @admin.action(description="Compare", permissions=["compare"])
    def compare_runs(self, request: HttpRequest, queryset: QuerySet[Run]) -> HttpResponse:
        """Compare the chosen runs, the earliest as the base."""
        return redirect(compare_url(list(queryset.order_by("pk").values_list("pk", flat=True)[: MOST + 1])))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view  # type: ignore[attr-defined]
        return [
            path("compare/", view(self.compare_view), name="planning_run_compare"),
            path("compare/comparison.xlsx", view(self.compare_xlsx), name="planning_run_compare_xlsx"),
            path("compare/plan.csv", view(self.compare_csv), name="planning_run_compare_csv"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    @method_decorator([require_safe, never_cache])
    def compare_view(self, request: HttpRequest) -> HttpResponseBase:
        """Show the runs side by side; without any it says how to choose some."""
        return self._answer(request, lambda comparison: self._page(request, comparison_context(request, comparison)))

    @method_decorator([require_safe, never_cache])
    def compare_xlsx(self, request: HttpRequest) -> HttpResponseBase:
        """Return everything as a workbook."""
        return self._answer(request, xlsx_response)

    @method_decorator([require_safe, never_cache])
    def compare_csv(self, request: HttpRequest) -> HttpResponseBase:
        """Return what is made, by product, run and period."""
        return self._answer(request, csv_response)

    def _answer(self, request: HttpRequest, show: Callable[[Comparison], HttpResponseBase]) -> HttpResponseBase:
        """Show the comparison that was asked for, or why there is none."""
        if not may_compare(request):
            raise PermissionDenied
        named = request.GET.getlist("run")
        if not named:
            return self._page(request, {"refusal": ""})
        try:
            comparison = compare(numbers_of(named), among=rows_to_see(request, Run.objects.all()))
            return show(only_differences(comparison) if request.GET.get("only") == ONLY else comparison)
        except (CannotCompare, ExportRefused) as refusal:
            return self._page(request, {"refusal": str(refusal)}, status=400)

    def _page(self, request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
        site = self.admin_site  # type: ignore[attr-defined]
        shown = {**site.each_context(request), "title": "Compare runs", "opts": Run._meta, **context}
        return TemplateResponse(request, "admin/planning/run/compare/page.html", shown, status=status)


class ComparedSets:
    """What the list of sets offers: comparing the runs of the chosen ones."""

    actions = ("compare_sets",)

    def has_compare_permission(self, request: HttpRequest) -> bool:
        """Whether the user may see runs."""
        return may_compare(request)

    @admin.action(description="Compare", permissions=["compare"])
    def compare_sets(self, request: HttpRequest, queryset: QuerySet[RunSet]) -> HttpResponse:
        """Compare the runs of the chosen sets; of large ones the list of their runs is shown, to choose from."""
        sets = list(queryset.values_list("pk", flat=True))
        runs = list(Run.objects.filter(run_set__in=sets).order_by("pk").values_list("pk", flat=True)[: MOST + 1])
        if len(runs) <= MOST:
            return redirect(compare_url(runs))
        text = f"These are more than {MOST} runs. Choose {LEAST} to {MOST} of them, then the action Compare."
        messages.warning(request, text)
        query = f"?run_set__id__exact={sets[0]}" if len(sets) == 1 else ""
        return redirect(f"{reverse('admin:planning_run_changelist')}{query}")


def numbers_of(named: Sequence[str]) -> list[int]:
    """Return the numbers of runs in an address. Raises CannotCompare."""
    wrong = [text for text in named if not (text.isascii() and text.isdigit() and len(text) < 20)]
    if wrong:
        raise CannotCompare(f'"{wrong[0][:50]}" is no number of a run. Choose runs from their list.')
    return [int(text) for text in named]


def comparison_context(request: HttpRequest, comparison: Comparison) -> dict[str, Any]:
    """Return what the page shows."""
    numbers = [run.number for run in comparison.runs]
    only = request.GET.get("only") == ONLY
    return {
        "comparison": comparison,
        "cards": cards(comparison, only=only),
        "inputs": inputs_table(comparison),
        "tables": comparison_tables(comparison),
        "only": only,
        "only_url": compare_url(numbers, only=not only),
        "xlsx_url": compare_url(numbers, only=only, name="compare_xlsx"),
        "csv_url": compare_url(numbers, only=only, name="compare_csv"),
    }


def cards(comparison: Comparison, *, only: bool) -> list[dict[str, Any]]:
    """Return a card for each run: what it is, its profit, and why it has no plan."""
    profit = next(figure.amounts for figure in comparison.figures if figure.key == "profit")
    numbers = [run.number for run in comparison.runs]
    found = []
    for place, run in enumerate(comparison.runs):
        others = [number for number in numbers if number != run.number]
        inputs = comparison.inputs
        known = not {number for number, _ in inputs.unreadable} & {run.number, numbers[0]}
        found.append(
            {
                "run": run,
                "url": reverse("admin:planning_run_change", args=[run.number]),
                "badge": state_badge(run.state),
                "changes": "" if run.variation is None else variation_in_words(run.variation),
                "profit": judged(profit, place, lambda value: money(value, comparison.currency)),
                "meaning": "" if run.has_plan else run.reason or meaning(Run(state=run.state)),
                "inputs": inputs_in_words(inputs, place) if place and known else "",
                "base_url": compare_url([run.number, *others], only=only) if place else "",
            }
        )
    return found


def inputs_in_words(inputs: ComparedInputs, place: int) -> str:
    """Return how many inputs of a run are not those of the base."""
    count, of_data = inputs.count(place), inputs.count(place, "data")
    if not count:
        return "the same inputs"
    words = "1 input differs" if count == 1 else f"{count} inputs differ"
    return f"{words}, {of_data} of them in the base data" if of_data else words


def xlsx_response(comparison: Comparison) -> HttpResponseBase:
    """Return the comparison as a workbook. Raises ExportRefused where a sheet can't hold a part."""
    return xlsx_file(comparison_sheets(comparison), file_name(comparison))


def csv_response(comparison: Comparison) -> HttpResponseBase:
    """Return what is made as a CSV file."""
    return csv_file(plan_sheet(comparison), f"{file_name(comparison)}-plan")


def file_name(comparison: Comparison) -> str:
    """Return what the files are called."""
    return f"runs-{'-'.join(str(run.number) for run in comparison.runs)}"
