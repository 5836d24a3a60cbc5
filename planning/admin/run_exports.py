"""Every table of a run as a CSV file or as a workbook, all rows, to the last digit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpResponseBase

from planning.exchange import Sheet
from planning.insight import (
    NoSimplePlan,
    NoSolvedData,
    NotMadeYet,
    campaigns,
    column_values,
    gains,
    machine_load,
    snapshot_of,
    solved_plan,
)
from planning.models import (
    TABLE_BY_NAME,
    GoalResult,
    MaterialBalance,
    OrderResult,
    ProductBalance,
    Production,
    Run,
    Utilization,
)

from .run_balances import delivery_words
from .run_pivot import pivot
from .run_waterfall import waterfall
from .sheet_files import csv_file, xlsx_file

STORED: dict[str, type[Any]] = {
    "production": Production,
    "products": ProductBalance,
    "utilization": Utilization,
    "materials": MaterialBalance,
    "orders": OrderResult,
    "goals": GoalResult,
}
INPUT = "input-"  # before the name of a table of the plan format


def stored_sheet(run: Run, name: str) -> Sheet:
    """Return the rows of a result table."""
    model = STORED[name]
    columns = [field.name for field in model._meta.concrete_fields if field.name not in ("id", "run")]
    rows = model._default_manager.filter(run=run).order_by("id").values_list(*columns)
    return Sheet(name, columns, (tuple(map(plain, row)) for row in rows.iterator(chunk_size=2000)))


def plain(value: Any) -> Any:
    """Return a value as a cell holds it."""
    if isinstance(value, float):
        return value + 0.0
    return delivery_words(value) if isinstance(value, list) else value


def profit_sheet(run: Run) -> Sheet:
    rows: list[tuple[Any, ...]] = [(step.name, step.amount) for step in waterfall(run)]
    return Sheet("profit", ["part", "amount"], rows)


def pivot_sheet(run: Run, measure: str) -> Sheet:
    """Return the plan in one measure, a column for each period; of a product with routes each route."""
    found = pivot(run, measure)
    ways = [line for lines in found.products for line in (lines[1:] or lines)]
    rows: list[tuple[Any, ...]] = [
        (line.product, line.route, *line.amounts, line.total) for line in [*ways, *found.rest]
    ]
    return Sheet(f"plan-{measure}", ["product", "route", *found.periods, "total"], rows)


def hours_sheet(run: Run) -> Sheet:
    """Return the hours of each machine by period and product."""
    plan = solved_plan(run)
    load = machine_load(plan)
    columns = (load.machine, load.period, load.product, load.units, load.hours, load.setup_hours, load.setup)
    rows = (
        (plan.machine_names[machine], plan.periods[period], plan.product_names[product], *rest)
        for machine, period, product, *rest in zip(*(column.tolist() for column in columns), strict=True)
    )
    return Sheet("machine-hours", ["machine", "period", "product", "units", "hours", "setup_hours", "setup"], rows)


def campaigns_sheet(run: Run) -> Sheet:
    """Return the campaigns: consecutive periods in which a product is made on a machine."""
    plan = solved_plan(run)
    rows = (
        (
            plan.machine_names[one.machine],
            plan.product_names[one.product],
            plan.periods[one.first],
            plan.periods[one.last],
            one.units,
            one.hours,
            ", ".join(plan.periods[period] for period in one.setups),
        )
        for one in campaigns(machine_load(plan))
    )
    return Sheet("campaigns", ["machine", "product", "first", "last", "units", "hours", "setups"], rows)


def won_sheet(run: Run) -> Sheet:
    """Return the figures of the plan beside those of a plan by hand. Raises NoSolvedData where there is none."""
    try:
        found = gains(run)
    except (NoSimplePlan, NotMadeYet) as why:
        raise NoSolvedData(str(why)) from why
    in_full = [found.in_full] if found.in_full else []
    pairs = [found.profit, *found.parts, *found.missed, *in_full, *found.orders, *found.hours, *found.overtime]
    rows = ((p.kind, p.name, p.place, p.by_hand, p.optimised, p.difference) for p in (*pairs, *found.made))
    return Sheet("won", ["kind", "name", "place", "by_hand", "optimised", "difference"], rows)


def input_sheet(run: Run, table: str) -> Sheet:
    """Return a table of the data that the run was solved with."""
    columns = TABLE_BY_NAME[table].columns
    listed = snapshot_of(run)[table]
    return Sheet(f"{INPUT}{table}", columns, zip(*(column_values(listed, name) for name in columns), strict=True))


MADE_UP: dict[str, Callable[[Run], Sheet]] = {
    "profit": profit_sheet,
    "plan-quantity": lambda run: pivot_sheet(run, "quantity"),
    "plan-hours": lambda run: pivot_sheet(run, "hours"),
    "plan-profit": lambda run: pivot_sheet(run, "profit"),
    "machine-hours": hours_sheet,
    "campaigns": campaigns_sheet,
    "won": won_sheet,
}
FROM_COPY = ("plan-hours", "plan-profit", "machine-hours", "campaigns", "won")


def sheet_of(run: Run, name: str) -> Sheet | None:
    """Return a table of a run by the name of its files; None for a name that is none. Raises NoSolvedData."""
    if name in STORED:
        return stored_sheet(run, name)
    if name in MADE_UP:
        return MADE_UP[name](run)
    table = name.removeprefix(INPUT)
    return input_sheet(run, table) if name.startswith(INPUT) and table in TABLE_BY_NAME else None


def all_sheets(run: Run) -> list[Sheet]:
    """Return every table of the plan; those that need the run's copy, or a plan by hand, only where there is one."""
    found = []
    for name in ("profit", "plan-quantity", *FROM_COPY, *STORED):
        try:
            sheet = sheet_of(run, name)
        except NoSolvedData:
            continue
        found += [sheet] if sheet is not None else []
    return found


def csv_response(run: Run, sheet: Sheet) -> HttpResponseBase:
    """Return a table as a CSV file."""
    return csv_file(sheet, f"run-{run.pk}-{sheet.name}")


def xlsx_response(run: Run, name: str, sheets: list[Sheet]) -> HttpResponseBase:
    """Return tables as a workbook. Raises ExportRefused where a sheet can't hold one."""
    return xlsx_file(sheets, f"run-{run.pk}-{name}")
