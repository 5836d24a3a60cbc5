"""The curve or the map that a sweep's runs draw, on the page of their set, and its numbers as files."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from planning.exchange import Sheet
from planning.insight import Sweep, bottleneck_words, sweep_of, value_words
from planning.models import RunSet

from .amounts import exact, money
from .run_words import state_badge
from .sheet_files import csv_file, xlsx_file


def sweep_context(run_set: RunSet, *, linked: bool) -> dict[str, Any] | None:
    """Return what the page shows of a sweep; None where the set is none."""
    sweep = sweep_of(run_set)
    if sweep is None:
        return None
    return {
        "sweep": sweep,
        "chart": "map" if len(sweep.axes) == 2 else "curve",
        "data": _map(sweep) if len(sweep.axes) == 2 else _curve(sweep),
        "title": " and ".join(axis.name for axis in sweep.axes),
        "marks": [
            {
                "between": f"{exact(mark.between[0])} and {value_words(sweep.axes[0], mark.between[1])}",
                "words": mark.words,
            }
            for mark in sweep.marks
        ],
        "rows": [
            {
                "at": [value_words(axis, value) for axis, value in zip(sweep.axes, point.at, strict=True)],
                "url": reverse("admin:planning_run_change", args=[point.run.pk]) if linked else "",
                "run": point.run.pk,
                "badge": state_badge(point.run.state),
                "profit": money(point.profit, sweep.currency),
                "full": bottleneck_words(point.bottlenecks),
            }
            for point in sweep.points
        ],
        "url": reverse("admin:planning_runset_sweep", args=[run_set.pk]),
        "csv_url": reverse("admin:planning_runset_sweep_csv", args=[run_set.pk]),
        "xlsx_url": reverse("admin:planning_runset_sweep_xlsx", args=[run_set.pk]),
    }


def _curve(sweep: Sweep) -> dict[str, Any]:
    (axis,) = sweep.axes
    return {
        "unit": axis.unit,
        "currency": sweep.currency,
        "now": axis.now,
        "points": [
            {"x": point.at[0], "y": point.profit, "full": bottleneck_words(point.bottlenecks)} for point in sweep.points
        ],
        "marks": [{"x": sum(mark.between) / 2, "text": mark.words} for mark in sweep.marks],
    }


def _map(sweep: Sweep) -> dict[str, Any]:
    """Return the cells of a map; those of the same bottlenecks have the same number."""
    columns, rows = sweep.axes
    profits = {point.at: point.profit for point in sweep.points}
    words = {point.at: bottleneck_words(point.bottlenecks) for point in sweep.points}
    at = [[(x, y) for x in columns.values] for y in rows.values]
    return {
        "xs": [value_words(columns, x) for x in columns.values],
        "ys": [value_words(rows, y) for y in rows.values],
        "names": [columns.name, rows.name],
        "currency": sweep.currency,
        "profits": [[profits.get(place) for place in line] for line in at],
        "full": [[words.get(place, "") for place in line] for line in at],
    }


def sweep_sheet(sweep: Sweep) -> Sheet:
    """Return the numbers of a sweep as a table."""
    columns = [*(f"{axis.name} ({axis.unit})" for axis in sweep.axes), "run", "state", "profit", "limited by"]
    rows = [
        (*point.at, point.run.pk, point.run.get_state_display(), point.profit, bottleneck_words(point.bottlenecks))
        for point in sweep.points
    ]
    return Sheet("sweep", columns, rows)


def sweep_urls(set_admin: Any) -> list[URLPattern]:
    """Return the addresses of a sweep's chart and files."""
    views, wrap = SweepViews(set_admin), set_admin.admin_site.admin_view
    return [
        path("<int:set_id>/sweep/", wrap(views.part_view), name="planning_runset_sweep"),
        path("<int:set_id>/sweep.csv", wrap(views.file_view), {"kind": "csv"}, name="planning_runset_sweep_csv"),
        path("<int:set_id>/sweep.xlsx", wrap(views.file_view), {"kind": "xlsx"}, name="planning_runset_sweep_xlsx"),
    ]


class SweepViews:
    """What the page of a sweep asks for."""

    def __init__(self, set_admin: Any) -> None:
        self.set_admin = set_admin

    @method_decorator([require_safe, never_cache])
    def part_view(self, request: HttpRequest, set_id: int) -> HttpResponse:
        """Answer with the chart and its table as a piece of the page."""
        run_set: RunSet = self.set_admin.set_to_view(request, set_id)
        found = sweep_context(run_set, linked=request.user.has_perm("planning.view_run"))
        if found is None:
            raise Http404("This set is no sweep.")
        return TemplateResponse(request, "admin/planning/runset/sweep.html", {"shown": found})

    @method_decorator(require_safe)
    def file_view(self, request: HttpRequest, set_id: int, kind: str) -> HttpResponseBase:
        """Answer with the numbers as CSV or as a workbook."""
        run_set: RunSet = self.set_admin.set_to_view(request, set_id)
        sweep = sweep_of(run_set)
        if sweep is None:
            raise Http404("This set is no sweep.")
        file = f"sweep-{run_set.pk}"
        return csv_file(sweep_sheet(sweep), file) if kind == "csv" else xlsx_file([sweep_sheet(sweep)], file)
