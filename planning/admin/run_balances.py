"""The tables of a run's page that show stored rows: products, machines, materials, orders and goals."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Max, Min, Q

from planning.insight import NoSolvedData, solved_plan
from planning.models import Goal, Run, Utilization

from .amounts import NOTHING, rounded
from .run_tables import NOISE, Cell, Table, named, number, page_of, page_rows, text

MACHINE, MATERIAL = Utilization.ResourceType.MACHINE, Utilization.ResourceType.MATERIAL
MORE = ("shadow_price_more", "shadow_price_more_until")
LESS = ("shadow_price_less", "shadow_price_less_until")
WITH_SETUPS = " What one more brings and one less costs is with these setups and whole quantities."


def extremes(rows: Any, *names: str) -> tuple[int, set[str]]:
    """Return how many rows there are, and which columns are not 0 throughout: one query."""
    asked = {f"{end.name.lower()}_{name}": end(name) for name in names for end in (Max, Min)}
    found = rows.order_by().aggregate(total=Count("pk"), **asked)
    filled = {name for name in names if any(abs(found[f"{end}_{name}"] or 0) > NOISE for end in ("max", "min"))}
    return found["total"], filled


# --- products -------------------------------------------------------------------------------

INFLOWS, OUTFLOWS, OWED = ("made", "yielded", "bought"), ("sold", "used", "lapsed"), ("backlog", "short")


def products(run: Run, asked: int) -> Table | None:
    """Return where the units of each product came from and went."""
    rows = run.productbalance_rows
    names = (*INFLOWS, *OUTFLOWS, "stock", *OWED)
    total, filled = extremes(rows, *names)
    if not total:
        return None
    shown = [name for name in names if name in filled or name in ("made", "sold", "stock")]
    page = page_of(asked, total)
    units = run.units.get("products", {})
    lines = []
    for values in page_rows(rows, page, "product", "period", *names):
        flow = dict(zip(names, values[2:], strict=True))
        opening = flow["stock"] + sum(flow[name] for name in OUTFLOWS) - sum(flow[name] for name in INFLOWS)
        amounts = [warned(flow[name]) if name in OWED else number(flow[name]) for name in shown]
        lines.append([Cell(named(values[0], units), "head"), text(values[1]), number(opening), *amounts])
    heads = ["Product", "Period", "Start", *(signed(name) for name in shown)]
    ins = " + ".join(name for name in shown if name in INFLOWS)
    outs = " − ".join(name for name in shown if name in OUTFLOWS)
    hint = f"Start + {ins} − {outs} = end, in the product's unit. Columns that are 0 throughout are left out."
    return Table("Products", hint, heads, lines, page, file="products")


def signed(name: str) -> str:
    """Return a column's name with its sign in the balance."""
    sign = "+ " if name in (*INFLOWS, "supplied") else "− " if name in OUTFLOWS else ""
    return f"{sign}{name}" if sign else {"stock": "= End", "short": "Short"}.get(name, name.capitalize())


def warned(value: float) -> Cell:
    """Return a number that should be 0."""
    return Cell(rounded(value), "bad") if value > NOISE else number(value)


# --- machines and materials -----------------------------------------------------------------


def machines(run: Run, asked: int) -> Table | None:
    """Return how many hours of the machines are used, and what one more would be worth."""
    rows = run.utilization_rows.filter(resource_type=MACHINE)
    total, filled = extremes(rows, "overtime", "units_down")
    if not total:
        return None
    page = page_of(asked, total)
    extra = [name for name in ("overtime", "units_down") if name in filled]
    names = ("resource", "period", "used", "available", "utilization_pct", *extra, *MORE, *LESS)
    lines = [
        [
            Cell(values[0], "head"),
            text(values[1]),
            number(values[2]),
            limit(values[3]),
            used_share(values[4]),
            *(number(amount) for amount in values[5:-4]),
            Cell(one_more(run.currency, *values[-4:-2])),
            Cell(one_less(run.currency, *values[-2:])),
        ]
        for values in page_rows(rows, page, *names)
    ]
    heads = ["Machine", "Period", "Used", "Available", "Utilization"]
    heads += [{"overtime": "Overtime", "units_down": "Units down"}[name] for name in extra]
    heads += ["One more hour brings", "One less costs"]
    hint = "Hours of each period, setups included. Overtime comes on top of what is available."
    hint += WITH_SETUPS if run.shadow_price_basis == "fixed_mip" else ""
    return Table("Hours and what they are worth", hint, heads, lines, page, file="utilization")


def materials(run: Run, asked: int) -> Table | None:
    """Return where the units of each raw material came from and went, and what one more would be worth."""
    rows = run.materialbalance_rows
    total, filled = extremes(rows, "supplied", "used", "lapsed", "stock")
    if not total:
        return None
    page = page_of(asked, total)
    units = run.units.get("materials", {})
    names = ("resource", "period", "available", "utilization_pct", *MORE, *LESS)
    limits = page_rows(run.utilization_rows.filter(resource_type=MATERIAL), page, *names)
    known = {(material, period): rest for material, period, *rest in limits}
    lapses = "lapsed" in filled
    lines = []
    for name, period, supplied, used, lapsed, stock in page_rows(
        rows, page, "material", "period", "supplied", "used", "lapsed", "stock"
    ):
        available, share, *price = known.get((name, period), [None] * 6)
        amounts = [stock + lapsed + used - supplied, supplied, used, *([lapsed] if lapses else []), stock]
        lines.append(
            [
                Cell(named(name, units), "head"),
                text(period),
                *(number(amount) for amount in amounts),
                used_share(share) if available is not None else limit(None),
                Cell(one_more(run.currency, *price[:2])),
                Cell(one_less(run.currency, *price[2:])),
            ]
        )
    heads = ["Material", "Period", "Start", "+ supplied", "− used", *(["− lapsed"] if lapses else []), "= End"]
    heads += ["Utilization", "One more brings", "One less costs"]
    hint = f"Start + supplied − used{' − lapsed' if lapses else ''} = end, in the material's unit."
    hint += WITH_SETUPS if run.shadow_price_basis == "fixed_mip" else ""
    return Table("Materials", hint, heads, lines, page, file="materials")


def limit(value: float | None) -> Cell:
    return Cell("no limit", "zero") if value is None else number(value)


def used_share(percent: float | None) -> Cell:
    """Return the used part of what is available, with its bar."""
    if percent is None:
        return Cell(NOTHING, "zero")
    return Cell(f"{percent + 0:,.1f} %", "warn" if percent > 99.95 else "number", bar=min(100.0, max(0.0, percent)))


def one_more(currency: str, price: float | None, until: float | None) -> str:
    """Return what one more of a limit brings, in words: 5.71 USD, up to 80."""
    if price is None:
        return NOTHING
    if abs(price) < NOISE:
        return "nothing"
    return f"{rounded(price)} {currency}" + (f", up to {rounded(until)}" if until is not None else "")


def one_less(currency: str, price: float | None, until: float | None) -> str:
    """Return what one less of a limit costs, in words: 5.71 USD, down to 30."""
    if price is None:
        return NOTHING if until is None else "no plan with less"
    cost = "nothing" if abs(price) < NOISE else f"{rounded(price)} {currency}"
    return cost + (f", down to {rounded(until)}" if until is not None else "")


# --- orders and goals -----------------------------------------------------------------------


def orders(run: Run, asked: int) -> Table | None:
    """Return what each customer order gets, and whether on time."""
    rows = run.orderresult_rows
    is_short, is_late = Q(shortfall__gt=NOISE), Q(late__gt=NOISE)
    found = rows.aggregate(
        total=Count("pk"), short=Count("pk", filter=is_short), late=Count("pk", filter=is_late & ~is_short)
    )
    if not found["total"]:
        return None
    page = page_of(asked, found["total"])
    units = run.units.get("products", {})
    names = ("reference", "product", "period", "target", "delivered", "late", "shortfall", "deliveries")
    lines = [
        [
            Cell(reference, "head"),
            order_state(late, shortfall),
            text(named(product, units)),
            text(period),
            number(target),
            number(delivered),
            number(late),
            warned(shortfall),
            text(delivery_words(deliveries)),
        ]
        for reference, product, period, target, delivered, late, shortfall, deliveries in page_rows(rows, page, *names)
    ]
    heads = ["Order", "State", "Product", "Period", "Ordered", "Delivered", "Late", "Missing", "Deliveries"]
    on_time = found["total"] - found["short"] - found["late"]
    hint = f"{on_time} on time, {found['late']} late, {found['short']} short. Units of the product."
    return Table("Customer orders", hint, heads, lines, page, file="orders")


def order_state(late: float, shortfall: float) -> Cell:
    """Return whether an order is delivered, and when, in words."""
    if shortfall > NOISE:
        return Cell("Short, the rest late" if late > NOISE else "Short", "badge pl-danger")
    return Cell("Late", "badge pl-warning") if late > NOISE else Cell("On time", "badge pl-success")


def delivery_words(deliveries: list[dict[str, Any]]) -> str:
    """Return when an order is delivered, in words."""
    given = [f"{row['period']}: {rounded(row['quantity'])}" for row in deliveries if abs(row["quantity"]) > NOISE]
    return ", ".join(given) or NOTHING


def goals(run: Run, asked: int) -> Table | None:
    """Return what each goal wants and what the plan reaches."""
    page = page_of(asked, run.goalresult_rows.count())
    if not page.total:
        return None
    rows = page_rows(run.goalresult_rows, page, "priority", "name", "sense", "target", "under", "over")
    counts = what_goals_count(run)
    lines = [
        [text(str(priority)), Cell(name, "head"), *goal_cells(counts.get(name, NOTHING), sense, target, under, over)]
        for priority, name, sense, target, under, over in rows
    ]
    heads = ["Priority", "Goal", "State", "What counts", "Target", "Reached", "Below target", "Above target"]
    hint = "Totals over all periods, in the goal's unit."
    if run.levels:
        reached = ", ".join(f"priority {level['priority']}: {rounded(level['deviation'])}" for level in run.levels)
        hint += f" Weighted deviation reached: {reached}."
    return Table("Goals", hint, heads, lines, page, file="goals")


def what_goals_count(run: Run) -> dict[str, str]:
    """Return what each goal measures, in words, by its name; nothing where the run's copy can't be read."""
    try:
        listed = solved_plan(run).snapshot["goals"]
    except NoSolvedData:
        return {}
    rows = zip(*(listed.columns[name].tolist() for name in ("name", "measure", "target_name")), strict=True)
    return {str(name): f"{Goal.Measure(measure).label} {about or ''}".strip() for name, measure, about in rows}


def goal_cells(counts: str, sense: str, target: float, under: float, over: float) -> list[Cell]:
    """Return whether a goal is reached, what it measures, what it wants and what the plan has."""
    size = NOISE * max(1.0, abs(target))
    missed = (under > size and sense != Goal.Sense.AT_MOST) or (over > size and sense != Goal.Sense.AT_LEAST)
    return [
        Cell("Missed", "badge pl-warning") if missed else Cell("Reached", "badge pl-success"),
        text(counts),
        Cell(f"{Goal.Sense(sense).label.lower()} {rounded(target)}", "number"),
        number(target + over - under),
        number(under),
        number(over),
    ]
