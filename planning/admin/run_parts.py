"""The parts of a run's page: each can be shown with the page, or asked for by itself when a planner turns to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from planning.insight import NoSolvedData
from planning.models import Run

from . import insights, run_balances, what_ifs
from .run_charts import campaign_bars, machine_charts, search_chart
from .run_inputs import input_table, input_tables
from .run_pivot import MEASURES, pivot_table
from .run_scenario import may_run
from .run_tables import Page, Table
from .run_waterfall import waterfall

Found = dict[str, Any] | None


@dataclass(frozen=True)
class Asked:
    """What is asked for in an address: a part, and which page, measure, products or table of it."""

    part: str = ""
    page: int = 1
    measure: str = "quantity"
    search: str = ""
    table: str = ""

    @classmethod
    def of(cls, request: HttpRequest, part: str = "") -> Asked:
        """Return what the request asks for; whatever makes no sense is as if it were not there."""
        given = request.GET
        page, measure = given.get("page", ""), given.get("measure", "")
        return cls(
            part=part or given.get("part", ""),
            page=int(page) if page.isascii() and page.isdigit() and len(page) < 9 else 1,
            measure=measure if measure in MEASURES else "quantity",
            search=given.get("search", "").strip()[:200],
            table=given.get("table", ""),
        )

    def link(self, **changed: Any) -> str:
        """Return the query of the same part with something else asked for."""
        values = {"part": self.part, "measure": self.measure, "search": self.search, "table": self.table, **changed}
        defaults = {"measure": "quantity", "page": 1}
        return "?" + urlencode({name: value for name, value in values.items() if value and value != defaults.get(name)})


@dataclass
class Part:
    """A part as a template shows it."""

    name: str
    title: str
    url: str  # of the part by itself
    asked: Asked
    files: str = ""  # the name of its files, where it has no table that has one
    is_shown: bool = True  # False: it is asked for once the page is there
    on_demand: bool = False  # and then only when somebody opens it
    context: dict[str, Any] = field(default_factory=dict)

    @property
    def template(self) -> str:
        return f"admin/planning/run/parts/{self.context.get('template', self.name)}.html"

    @property
    def link(self) -> str:
        """Where the part is shown without a script."""
        return f"{self.asked.link()}#{self.name}"

    @property
    def before(self) -> str:
        """The query of the page before; "" where there is none."""
        return self._paged("before")

    @property
    def after(self) -> str:
        """The query of the next page; "" where there is none."""
        return self._paged("after")

    def _paged(self, way: str) -> str:
        page: Page | None = self.context.get("page")
        number = getattr(page, way) if page is not None else 0
        return self.asked.link(page=number) if number else ""


def table_part(rows: Callable[[Run, int], Table | None]) -> Callable[[HttpRequest, Run, Asked], Found]:
    """Return the part that shows a table of stored rows."""

    def part(request: HttpRequest, run: Run, asked: Asked) -> Found:
        table = rows(run, asked.page)
        return None if table is None else {"template": "table", "table": table, "page": table.page}

    return part


def profit(request: HttpRequest, run: Run, asked: Asked) -> Found:
    steps = waterfall(run)
    return {"steps": steps} if steps else None


def plan(request: HttpRequest, run: Run, asked: Asked) -> Found:
    switch = [(name, words, asked.link(measure=name), name == asked.measure) for name, words in MEASURES.items()]
    found: dict[str, Any] = {"switch": switch, "search": asked.search, "measure": asked.measure}
    try:
        table = pivot_table(run, asked.measure, asked.page, asked.search)
    except NoSolvedData as why:
        return found | {"why": f"{MEASURES[asked.measure]} by product can't be shown. {why}"}
    return None if table is None else found | {"table": table, "page": table.page}


def load(request: HttpRequest, run: Run, asked: Asked) -> Found:
    try:
        charts, legend, page = machine_charts(run, asked.page)
    except NoSolvedData as why:
        return {"why": f"Hours by product can't be shown. {why}"}
    return {"charts": charts, "legend": legend, "page": page}


def limits(request: HttpRequest, run: Run, asked: Asked) -> Found:
    return insights.limits(request, run)


def short(request: HttpRequest, run: Run, asked: Asked) -> Found:
    return insights.short(request, run)


def won(request: HttpRequest, run: Run, asked: Asked) -> Found:
    return insights.won(request, run)


def what_if(request: HttpRequest, run: Run, asked: Asked) -> Found:
    return what_ifs.part(request, run)


def campaigns(request: HttpRequest, run: Run, asked: Asked) -> Found:
    try:
        machines, periods, page = campaign_bars(run, asked.page)
    except NoSolvedData as why:
        return {"why": f"Campaigns can't be shown. {why}"}
    return {"machines": machines, "periods": periods, "page": page}


def search(request: HttpRequest, run: Run, asked: Asked) -> Found:
    chart = search_chart(run)
    return {"chart": chart} if len(chart["trail"]) > 1 else None


def inputs(request: HttpRequest, run: Run, asked: Asked) -> Found:
    try:
        if asked.table:
            table = input_table(request, run, asked.table, asked.page)
            return None if table is None else {"template": "table", "table": table, "page": table.page, "bare": True}
        return {"tables": input_tables(request, run)}
    except NoSolvedData as why:
        return {"why": f"The data can't be shown. {why}"}


@dataclass(frozen=True)
class Kind:
    """A part of the page: its title, what it shows, and when."""

    title: str
    show: Callable[[HttpRequest, Run, Asked], Found]
    later: bool = False  # the page does not wait for it
    on_demand: bool = False
    needs: str = "plan"  # plan, right to run (and a plan), machines, several periods, or "" for any run that has ended
    files: str = ""


KINDS: dict[str, Kind] = {
    "profit": Kind("Profit", profit, files="profit"),
    "plan": Kind("Plan", plan),
    "orders": Kind("Customer orders", table_part(run_balances.orders)),
    "goals": Kind("Goals", table_part(run_balances.goals)),
    "limits": Kind("What limits the plan", limits),
    "short": Kind("Why short", short, later=True),
    "won": Kind("What the optimiser won", won, later=True, files="won"),
    "what-if": Kind("What if", what_if, later=True, needs="right to run"),
    "load": Kind("Machines", load, later=True, needs="machines", files="machine-hours"),
    "machines": Kind("Hours and what they are worth", table_part(run_balances.machines)),
    "campaigns": Kind("Campaigns", campaigns, later=True, needs="several periods", files="campaigns"),
    "products": Kind("Products", table_part(run_balances.products)),
    "materials": Kind("Materials", table_part(run_balances.materials)),
    "search": Kind("How the plan was found", search, needs=""),
    "inputs": Kind("Data as they were solved", inputs, later=True, on_demand=True, needs=""),
}


def parts_of(request: HttpRequest, run: Run, *, has_plan: bool) -> list[Part]:
    """Return the parts of an ended run's page, in their order."""
    asked = Asked.of(request)
    there = {""} | ({"plan"} if has_plan else set())
    if has_plan:
        there |= {"right to run"} if may_run(request) else set()
        periods = run.production_rows.order_by().values_list("period", flat=True).distinct()[:2]
        machines = run.utilization_rows.filter(resource_type=run_balances.MACHINE).exists()
        there |= {"machines"} if machines else set()
        there |= {"several periods"} if machines and len(periods) > 1 else set()
    found = [
        part_of(request, run, name, asked if asked.part == name else Asked(name))
        for name, kind in KINDS.items()
        if kind.needs in there
    ]
    return [part for part in found if part is not None]


def part_of(request: HttpRequest, run: Run, name: str, asked: Asked, *, now: bool = False) -> Part | None:
    """Return a part with what it shows, or, where the page does not wait for it, the place that it will take."""
    kind = KINDS[name]
    url = reverse("admin:planning_run_part", args=[run.pk, name])
    if kind.later and not now and asked == Asked(name) and request.GET.get("part") != name:
        return Part(name, kind.title, url, asked, kind.files, is_shown=False, on_demand=kind.on_demand)
    context = kind.show(request, run, asked)
    return None if context is None else Part(name, kind.title, url, asked, kind.files, context=context)
