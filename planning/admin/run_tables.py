"""The tables of a run's page: one query each, read into cells that are ready to show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from planning.models import (
    GoalResult,
    MaterialBalance,
    OrderResult,
    ProductBalance,
    Production,
    Run,
    Utilization,
)

from .amounts import NOTHING, money, rounded

ROWS_SHOWN = 100  # of each table; the rest is in the CSV file
ROWS_READ = 20_000  # of each table, at most


@dataclass(frozen=True)
class Cell:
    """One cell: its text, its look (text, number, zero, head, warn), and the filled part of a bar in percent."""

    text: str
    look: str = "text"
    bar: float | None = None


NUMERIC = ("number", "zero", "warn")


@dataclass(frozen=True)
class Head:
    """The head of a column."""

    text: str
    right: bool


@dataclass
class Table:
    """One table of the page."""

    key: str  # of the CSV file
    title: str
    hint: str
    titles: list[str]
    rows: list[list[Cell]]
    total: int
    more: bool = False  # there are rows beyond those that were read
    foot: list[Cell] = field(default_factory=list)

    @property
    def heads(self) -> list[Head]:
        """The heads of the columns, aligned as what stands below."""
        below = self.rows[0] if self.rows else []
        looks = [cell.look for cell in below] + ["text"] * len(self.titles)
        return [Head(title, look in NUMERIC) for title, look in zip(self.titles, looks, strict=False)]

    @property
    def cut(self) -> str:
        """What is left out, in words."""
        if len(self.rows) >= self.total and not self.more:
            return ""
        return f"The first {len(self.rows)} of {'more than ' if self.more else ''}{self.total:,} rows."


def text(value: str) -> Cell:
    return Cell(value)


def number(value: float | None) -> Cell:
    words = rounded(value)
    return Cell(words, "zero" if words in ("0", NOTHING) else "number")


def read(rows: Any, *names: str) -> tuple[list[tuple[Any, ...]], bool]:
    """Return the rows' values, and whether there are more than are read."""
    values = list(rows.order_by("id").values_list(*names)[: ROWS_READ + 1])
    return values[:ROWS_READ], len(values) > ROWS_READ


def production(run: Run) -> Table | None:
    """Return what is made, by product and route, across the periods."""
    rows, more = read(run.production_rows, "product", "route", "period", "quantity", "setup")
    if not rows:
        return None
    periods = list(dict.fromkeys(row[2] for row in rows))
    units = run.units.get("products", {})
    made: dict[tuple[str, str], dict[str, tuple[float, bool]]] = {}
    for product, route, period, quantity, setup in rows:
        made.setdefault((product, route), {})[period] = (quantity, setup)
    with_routes = any(route for _, route in made)
    lines = []
    for (product, route), cells in list(made.items())[:ROWS_SHOWN]:
        line = [Cell(named(product, units), "head")] + ([text(route)] if with_routes else [])
        for period in periods:
            quantity, setup = cells.get(period, (None, False))
            cell = number(quantity)
            line.append(Cell(f"{cell.text} ⚙", cell.look) if setup else cell)
        if len(periods) > 1:
            line.append(number(sum(quantity for quantity, _ in cells.values())))
        lines.append(line)
    hint = "Units made in each period."
    if any(row[4] for row in rows):
        hint += " ⚙ marks a setup."
    return Table(
        "production",
        "Production",
        hint,
        [
            "Product",
            *(["Route"] if with_routes else []),
            *period_heads(periods),
            *(["Total"] if len(periods) > 1 else []),
        ],
        lines,
        len(made),
        more,
    )


def named(name: str, units: dict[str, str]) -> str:
    """Return a name with its unit, where that is more than the word unit."""
    unit = units.get(name, "unit")
    return name if unit == "unit" else f"{name} ({unit})"


def period_heads(periods: Sequence[str]) -> list[str]:
    """Return the periods as column heads: a single one that has just a number is called a period."""
    return [f"Period {period}" if period.isdigit() else period for period in periods]


def used_columns(heads: Sequence[str], rows: Sequence[tuple[Any, ...]], first: int, always: Iterable[str]) -> list[int]:
    """Return the columns from `first` on that say something: those that are not 0 throughout."""
    kept = set(always)
    return [
        index
        for index in range(first, len(heads))
        if heads[index] in kept or any(row[index] and abs(row[index]) > 5e-7 for row in rows)
    ]


def balance(
    run_rows: Any,
    *,
    units: dict[str, str],
    key: str,
    title: str,
    hint: str,
    name: str,
    inflows: Sequence[str],
    outflows: Sequence[str],
    rest: Sequence[str],
) -> Table | None:
    """Return a balance: what came in and went out of each row, by period, with the opening stock before it."""
    flows, more = read(run_rows, name, "period", *inflows, *outflows, "stock", *rest)
    if not flows:
        return None
    rows = []
    ins = range(2, 2 + len(inflows))
    outs = range(2 + len(inflows), 2 + len(inflows) + len(outflows) + 1)
    for flow in flows:
        opening = sum(flow[index] for index in outs) - sum(flow[index] for index in ins)
        rows.append((flow[0], flow[1], opening, *flow[2:]))
    heads = [
        name.capitalize(),
        "Period",
        "Opening",
        *(head.capitalize() for head in (*inflows, *outflows, "stock", *rest)),
    ]
    columns = used_columns(heads, rows, 2, always=[heads[3], heads[3 + len(inflows)]])
    lines = [
        [Cell(named(row[0], units), "head"), text(row[1]), *(number(row[index]) for index in columns)]
        for row in rows[:ROWS_SHOWN]
    ]
    return Table(
        key,
        title,
        hint + " Columns that are 0 throughout are left out.",
        [*heads[:2], *(heads[index] for index in columns)],
        lines,
        len(rows),
        more,
    )


def products(run: Run) -> Table | None:
    """Return where the units of each product came from and went."""
    return balance(
        run.productbalance_rows,
        units=run.units.get("products", {}),
        key="products",
        title="Products",
        hint="Opening + made + yielded + bought = sold + used + lapsed + stock, in the product's unit.",
        name="product",
        inflows=("made", "yielded", "bought"),
        outflows=("sold", "used", "lapsed"),
        rest=("backlog", "short"),
    )


def materials(run: Run) -> Table | None:
    """Return where the units of each raw material came from and went."""
    return balance(
        run.materialbalance_rows,
        units=run.units.get("materials", {}),
        key="materials",
        title="Material balances",
        hint="Opening + supplied = used + lapsed + stock, in the material's unit.",
        name="material",
        inflows=("supplied",),
        outflows=("used", "lapsed"),
        rest=(),
    )


def utilization(run: Run) -> list[Table]:
    """Return how much of the machines and of the materials is used, and what one more would be worth."""
    rows, more = read(
        run.utilization_rows,
        "resource_type",
        "resource",
        "period",
        "used",
        "available",
        "utilization_pct",
        "overtime",
        "units_down",
        "shadow_price",
        "shadow_price_low",
        "shadow_price_high",
    )
    tables = []
    for kind, title, unit in (("machine", "Machines", "hour"), ("material", "Materials", "unit")):
        chosen = [row for row in rows if row[0] == kind]
        if not chosen:
            continue
        units = run.units.get("materials", {}) if kind == "material" else {}
        extra = [index for index in (6, 7) if any(row[index] for row in chosen)]
        heads = [kind.capitalize(), "Period", "Used", "Available", "Utilization"]
        heads += [{6: "Overtime", 7: "Units down"}[index] for index in extra] + [f"One more {unit} is"]
        lines = [
            [
                Cell(named(row[1], units), "head"),
                text(row[2]),
                number(row[3]),
                number(row[4]) if row[4] is not None else Cell("no limit", "zero"),
                used_share(row[5]),
                *(number(row[index]) for index in extra),
                Cell(worth(run.currency, units.get(row[1], unit), *row[8:11])),
            ]
            for row in chosen[:ROWS_SHOWN]
        ]
        hint = "Hours" if kind == "machine" else "Quantities in the material's unit"
        tables.append(Table("utilization", title, f"{hint} of each period.", heads, lines, len(chosen), more))
    return tables


def used_share(percent: float | None) -> Cell:
    """Return the used part of what is available, with its bar."""
    if percent is None:
        return Cell(NOTHING, "zero")
    return Cell(f"{percent + 0:,.1f} %", "warn" if percent > 99.95 else "number", bar=min(100.0, max(0.0, percent)))


def worth(currency: str, unit: str, price: float | None, low: float | None, high: float | None) -> str:
    """Return a shadow price in words: worth 5.71 USD per hour, from 30 to 80."""
    if price is None:
        return NOTHING
    if abs(price) < 5e-7:
        return "worth nothing" if low is None else f"worth nothing, down to {rounded(low)}"
    ends = " ".join(f"{word} {rounded(end)}" for word, end in (("from", low), ("to", high)) if end is not None)
    return f"worth {rounded(price)} {currency} per {unit}" + (f", {ends}" if ends else "")


def orders(run: Run) -> Table | None:
    """Return what each customer order gets."""
    rows, more = read(
        run.orderresult_rows,
        "reference",
        "product",
        "period",
        "target",
        "delivered",
        "late",
        "shortfall",
        "deliveries",
    )
    if not rows:
        return None
    lines = [
        [
            Cell(reference, "head"),
            text(product),
            text(period),
            number(target),
            number(delivered),
            number(late),
            Cell(rounded(shortfall), "warn") if shortfall > 5e-7 else number(shortfall),
            text(delivery_words(deliveries)),
        ]
        for reference, product, period, target, delivered, late, shortfall, deliveries in rows[:ROWS_SHOWN]
    ]
    heads = ["Order", "Product", "Period", "Ordered", "Delivered", "Late", "Missing", "Deliveries"]
    return Table("orders", "Customer orders", "Units of the product.", heads, lines, len(rows), more)


def delivery_words(deliveries: list[dict[str, Any]]) -> str:
    """Return when an order is delivered, in words."""
    given = [f"{row['period']}: {rounded(row['quantity'])}" for row in deliveries if abs(row["quantity"]) > 5e-7]
    return ", ".join(given) or NOTHING


def goals(run: Run) -> Table | None:
    """Return how far each goal is missed."""
    rows, more = read(run.goalresult_rows, "priority", "name", "under", "over")
    if not rows:
        return None
    lines = [
        [text(str(priority)), Cell(name, "head"), number(under), number(over)]
        for priority, name, under, over in rows[:ROWS_SHOWN]
    ]
    hint = "How far each goal is from its target, in the goal's unit."
    if run.levels:
        reached = ", ".join(f"priority {level['priority']}: {rounded(level['deviation'])}" for level in run.levels)
        hint += f" Weighted deviation reached: {reached}."
    return Table("goals", "Goals", hint, ["Priority", "Goal", "Below target", "Above target"], lines, len(rows), more)


PROFIT_PARTS = {
    "sales": "Sales",
    "production_cost": "Production cost",
    "route_cost": "Route cost",
    "holding": "Holding stock",
    "backlog": "Backlog",
    "shortage": "Shortage",
    "purchase": "Buying in",
    "setup": "Setups",
    "overtime": "Overtime",
    "lateness": "Late orders",
    "material_holding": "Holding materials",
    "material": "Materials",
}


def profit(run: Run) -> Table | None:
    """Return the parts of the profit, with their sign in the sum."""
    parts = {name: value for name, value in run.profit_parts.items() if value or name == "sales"}
    if not parts:
        return None
    ordered = [name for name in PROFIT_PARTS if name in parts] + [name for name in parts if name not in PROFIT_PARTS]
    lines = []
    for name in ordered:
        amount = parts[name] if name == "sales" else -parts[name]
        lines.append([Cell(PROFIT_PARTS.get(name) or name, "head"), Cell(money(amount, run.currency), "number")])
    foot = [Cell("Profit", "head"), Cell(money(run.objective, run.currency), "number")]
    return Table("", "Profit", "Sales less the other parts.", ["Part", "Amount"], lines, len(lines), foot=foot)


def result_tables(run: Run) -> list[Table]:
    """Return the tables of a plan, in the order of the page."""
    found = [profit(run), production(run), products(run), *utilization(run), materials(run), orders(run), goals(run)]
    return [table for table in found if table is not None]


CSV_TABLES: dict[str, type[Any]] = {
    "production": Production,
    "products": ProductBalance,
    "utilization": Utilization,
    "materials": MaterialBalance,
    "orders": OrderResult,
    "goals": GoalResult,
}
