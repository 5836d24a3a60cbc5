"""The plan across the periods: units, machine hours or profit of each product, with its routes."""

from __future__ import annotations

from dataclasses import dataclass, field

from planning.insight import SolvedPlan, earnings, solved_plan, way_hours
from planning.models import Run

from .amounts import rounded
from .run_tables import NOISE, ROWS_SHOWN, Cell, Table, named, page_of, period_heads
from .run_waterfall import PARTS

MEASURES = {"quantity": "Quantity", "hours": "Machine hours", "profit": "Profit"}
ROWS_READ = 200_000  # of what is made, at most


@dataclass
class Line:
    """A row of the pivot: a product, or one of its routes; an amount for each period, and where it is set up."""

    product: str
    route: str
    amounts: list[float]
    setups: list[bool] = field(default_factory=list)

    @property
    def total(self) -> float:
        return sum(self.amounts)


@dataclass
class Pivot:
    """What is made, takes hours or earns, by product, route and period."""

    measure: str
    periods: list[str]
    products: list[list[Line]]  # of each product its own line, then those of its routes where it has several
    rest: list[Line] = field(default_factory=list)  # of no product: in the sum, not among the products

    @property
    def has_sum(self) -> bool:
        """Whether amounts of several products may be added up."""
        return self.measure != "quantity"

    def sums(self) -> list[float]:
        """Return the sum of each period over all products and the rest."""
        lines = [lines[0] for lines in self.products] + self.rest
        return [sum(column) for column in zip(*(line.amounts for line in lines), strict=True)]


def pivot(run: Run, measure: str) -> Pivot:
    """Return the plan in one measure. Raises NoSolvedData where hours or profit are asked for and can't be known."""
    if measure == "hours":
        plan = solved_plan(run)
        return Pivot(measure, plan.periods, grouped(way_lines(plan)))
    if measure == "profit":
        return earned(run)
    return made(run)


def made(run: Run) -> Pivot:
    """Return the units made."""
    names = ("product", "route", "period", "quantity", "setup")
    rows = list(run.production_rows.order_by("id").values_list(*names)[:ROWS_READ])
    periods = list(dict.fromkeys(row[2] for row in rows))
    place = {period: index for index, period in enumerate(periods)}
    lines: dict[tuple[str, str], Line] = {}
    for product, route, period, quantity, setup in rows:
        line = lines.get((product, route))
        if line is None:
            line = lines[product, route] = Line(product, route, [0.0] * len(periods), [False] * len(periods))
        line.amounts[place[period]] = quantity
        line.setups[place[period]] = setup
    return Pivot("quantity", periods, grouped(list(lines.values())))


def way_lines(plan: SolvedPlan) -> list[Line]:
    """Return the machine hours of each way of making, setups included."""
    ways = plan.snapshot["ways"]
    span = plan.snapshot.period_count
    hours = way_hours(plan).reshape(-1, span).tolist()
    setups = plan.setup.reshape(-1, span).tolist()
    products = [plan.product_names[product] for product in ways.links["product"].positions.tolist()]
    routes = [str(route) for route in ways.columns["route_name"].tolist()]
    return [Line(*line) for line in zip(products, routes, hours, setups, strict=True)]


def grouped(lines: list[Line]) -> list[list[Line]]:
    """Return the lines of each product: their sum, then those of its routes where it has several."""
    by_product: dict[str, list[Line]] = {}
    for line in lines:
        by_product.setdefault(line.product, []).append(line)
    found = []
    for product, ways in by_product.items():
        if len(ways) == 1:
            found.append(ways)
            continue
        amounts = [sum(column) for column in zip(*(way.amounts for way in ways), strict=True)]
        setups = [any(column) for column in zip(*(way.setups for way in ways), strict=True)]
        found.append([Line(product, "", amounts, setups), *ways])
    return found


def earned(run: Run) -> Pivot:
    """Return what each product earns, and what is of no single product."""
    plan = solved_plan(run)
    found, span = earnings(plan), plan.snapshot.period_count
    grid = plan.snapshot["product_grid"]
    names = [plan.product_names[product] for product in grid.links["product"].positions.tolist()[::span]]
    amounts = found.of_products.reshape(-1, span).tolist()
    rest = [
        Line(PARTS.get(part, part), "", by_period.tolist())
        for part, by_period in found.by_period.items()
        if abs(by_period).max(initial=0.0) > NOISE
    ]
    lines = [[Line(name, "", row)] for name, row in zip(names, amounts, strict=True)]
    return Pivot("profit", plan.periods, lines, rest)


def pivot_table(run: Run, measure: str, asked: int, search: str = "") -> Table | None:
    """Return a page of the pivot as the page of a run shows it. Raises NoSolvedData."""
    found = pivot(run, measure)
    if not found.products:
        return None
    chosen = [lines for lines in found.products if search.casefold() in lines[0].product.casefold()]
    left_out = 0
    if not search and len(chosen) > ROWS_SHOWN:
        chosen = [lines for lines in chosen if any(abs(amount) > NOISE for amount in lines[0].amounts)]
        left_out = len(found.products) - len(chosen)
    page = page_of(asked, len(chosen), what="products")
    units = run.units.get("products", {}) if measure == "quantity" else {}
    with_routes = any(len(lines) > 1 or lines[0].route for lines in found.products)
    several = len(found.periods) > 1
    rows = [
        cells(line, named(line.product, units), is_route=place > 0, with_routes=with_routes, several=several)
        for lines in chosen[page.span]
        for place, line in enumerate(lines)
    ]
    foot = [cells(line, line.product, with_routes=with_routes, several=several) for line in found.rest]
    if found.has_sum:
        whole = Line("Profit" if measure == "profit" else "All products", "", found.sums())
        foot.append(cells(whole, whole.product, with_routes=with_routes, several=several))
    titles = ["Product", *(["Route"] if with_routes else []), *period_heads(found.periods)]
    return Table(
        "Plan",
        hint_of(found, run.currency) + (f" {left_out:,} products with nothing are left out." if left_out else ""),
        [*titles, *(["Total"] if several else [])],
        rows,
        page,
        file=f"plan-{measure}",
        foot=foot,
    )


def hint_of(found: Pivot, currency: str) -> str:
    """Return what the amounts are, in words."""
    hint = {
        "quantity": "Units made in each period.",
        "hours": "Hours on all machines together, setups included.",
        "profit": f"{currency}: what is sold, less what its making, storing, buying in and setups cost.",
    }[found.measure]
    if any(any(line.setups) for lines in found.products for line in lines):
        hint += " ⚙ marks a setup."
    return hint


def cells(
    line: Line, name: str, *, is_route: bool = False, with_routes: bool = False, several: bool = False
) -> list[Cell]:
    """Return a line as cells; the darker a cell, the more of the line's amount falls into its period."""
    most = max((abs(amount) for amount in line.amounts), default=0.0)
    shown = [Cell("" if is_route else name, "head")] + ([Cell(line.route)] if with_routes else [])
    setups = line.setups or [False] * len(line.amounts)
    for amount, setup in zip(line.amounts, setups, strict=True):
        words = rounded(amount)
        look = "zero" if words == "0" else "bad" if amount < 0 else "number"
        shade = 0 if not several or most <= NOISE or amount <= NOISE else max(1, round(5 * amount / most))
        shown.append(Cell(f"{words} ⚙" if setup else words, look, shade=shade))
    if several:
        shown.append(Cell(rounded(line.total), "bad" if line.total < -NOISE else "number"))
    return shown
