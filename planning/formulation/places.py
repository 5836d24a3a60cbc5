"""Where the numbers stand that limit a model: the values of the data, and the rows and bounds that each one sets.

A value is a limit or a requirement in one period (a stock at the start or the end, and maintenance, in none). Without
it the model is as if the limit were blank, the requirement 0. What holds whatever the data say (balances, sales, what
an option that does not exist forbids) is no value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from planning.lx import MISSING, CompiledModel, Limits, LXRows, LXTable
from planning.snapshot import Horizon, Snapshot, given, over_periods

HELD = "held_"  # begins the names of what holds an earlier plan
Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]
_ROOMY = 10.0  # M of a setup, times all quantities of the data together: any useful lot fits, whatever is lifted


@dataclass(frozen=True)
class Kind:
    """The values of one field: of which table, in which table by period ("" for one without a value per period)."""

    field: str
    table: str
    by_period: str
    start: int  # the number of the first of them among the limits
    parents: Positions  # rows of the table
    periods: Positions
    values: Floats


@dataclass(frozen=True)
class Value:
    """One number of the data, and where it stands."""

    table: str
    row: str
    period: str
    field: str
    amount: float
    parent: int  # row of the table that has a row per name: products, machines, raw_materials or routes


class Places:
    """The limits of a compiled model of a snapshot, and the value of the data that each of them is."""

    def __init__(self, compiled: CompiledModel) -> None:
        self.snapshot = Snapshot(compiled.model.tables)
        self.count = self.snapshot.period_count
        self.kinds: list[Kind] = []
        self._compiled = compiled
        self.limits = Limits(self._with_lot_rows(compiled))
        self._product_limits()
        self._stock_limits("products", "product_periods", "product_grid", "product", ("stock", "required_stock"))
        self._stock_limits(
            "raw_materials",
            "raw_material_periods",
            "material_grid",
            "material",
            ("material_stock", "required_material_stock"),
        )
        self._lot_limits()
        self._machine_limits()
        self._material_limits()

    # --- reading ------------------------------------------------------------------------------

    def value(self, limit: int) -> Value:
        """Return the value that a limit is."""
        kind = next(kind for kind in self.kinds if kind.start <= limit < kind.start + len(kind.parents))
        at = limit - kind.start
        parent, period = int(kind.parents[at]), int(kind.periods[at])
        table, row = kind.table, self._name(kind.table, parent)
        if kind.by_period and self._stands_by_period(kind, parent, period):
            table = kind.by_period
        shown = self._name("periods", period) if kind.by_period else ""
        return Value(table, row, shown, kind.field, float(kind.values[at]), parent)

    @property
    def groups(self) -> list[Positions]:
        """The limits in groups, from coarse to fine: by field, then by field and row."""
        by_field = np.concatenate([np.full(len(kind.parents), i) for i, kind in enumerate(self.kinds)])
        parents = np.concatenate([kind.parents for kind in self.kinds])
        return [by_field, by_field * (int(parents.max(initial=0)) + 1) + parents]

    def _name(self, table: str, row: int) -> str:
        name = str(self.snapshot[table].columns["name"].tolist()[row])
        if table != "routes":
            return name
        return f"{self._name('products', int(self.snapshot['routes'].links['product'].positions[row]))} / {name}"

    def _stands_by_period(self, kind: Kind, parent: int, period: int) -> bool:
        """Whether a row of the table by period gives the value: one of the database, not one that a change made."""
        if kind.field not in self.snapshot[kind.table].columns:
            return True
        held = self.snapshot[kind.by_period]
        if not held.size:
            return False
        relation = next(name for name in held.links if name != "period")
        rows = np.flatnonzero(
            (held.links[relation].positions == parent) & (held.links["period"].positions == period)
        ).tolist()
        known = held.columns.get(given(kind.field))  # a change gives every row a value
        gives = ~held.columns[kind.field].is_null if known is None else np.asarray(known.values, dtype=np.bool_)
        return any(held.columns[str(held.key)].get(row) >= 0 and gives[row] for row in rows)

    # --- collecting ---------------------------------------------------------------------------

    def _add(
        self, field: str, tables: tuple[str, str], parents: Positions, periods: Positions, values: Any
    ) -> Positions:
        """Add values of a field, and return their numbers as limits."""
        numbers = self.limits.add(len(parents))
        amounts = np.asarray(values, dtype=np.float64)
        start = self.limits.count - len(parents)
        self.kinds.append(Kind(field, *tables, start, parents, periods, amounts))
        return numbers

    def _of_grid(self, field: str, tables: tuple[str, str], grid: LXTable, relation: str, rows: Positions) -> Positions:
        """Add the values of a column of a grid in some of its rows."""
        parents, periods = grid.links[relation].positions[rows], grid.links["period"].positions[rows]
        return self._add(field, tables, parents, periods, grid.columns[field].filled(0.0)[rows])

    def _rows(self, name: str) -> tuple[Positions, Positions]:
        """Return the rows of the matrix of a family, and the rows of the table that they are about."""
        return _spread(self._compiled.constraints[name])

    def _columns(self, name: str) -> tuple[Positions, Positions]:
        """Return the columns of the matrix of a family, and the rows of the table that they are about."""
        return _spread(self._compiled.variables[name])

    def _upper_bounds(self, variable: str, field: str, tables: tuple[str, str], grid: LXTable, relation: str) -> None:
        """Take the upper bounds of a family that a column of its grid gives."""
        columns, rows = self._columns(variable)
        given = ~grid.columns[field].is_null[rows]
        numbers = self._of_grid(field, tables, grid, relation, rows[given])
        self.limits.columns_at_most(numbers, columns[given], self._compiled.upper[columns[given]])

    # --- the values ---------------------------------------------------------------------------

    def _product_limits(self) -> None:
        tables, grid = ("products", "product_periods"), self.snapshot["product_grid"]
        # firm + short + backlog - backlog[t-1]  >=  min_demand, and >= 0 without: what was owed before stays owed
        rows, at = self._rows("demand")
        wanted = grid.columns["min_demand"].filled(0.0)[at]
        some = wanted > 0
        numbers = self._of_grid("min_demand", tables, grid, "product", at[some])
        self.limits.rows_at_least(numbers, rows[some], wanted[some], lifted=0.0)
        # extra  <=  max_demand - min_demand
        columns, at = self._columns("extra")
        given = ~grid.columns["max_demand"].is_null[at]
        numbers = self._of_grid("max_demand", tables, grid, "product", at[given])
        self.limits.columns_at_most(numbers, columns[given], self._compiled.upper[columns[given]])
        self._upper_bounds("buy", "max_purchase", tables, grid, "product")
        self._opening("product_balance", "products", grid, "product")

    def _opening(self, balance: str, table: str, grid: LXTable, relation: str) -> None:
        """Take the stock at the start, which has to go somewhere: lifted, as much of it is there as is wanted."""
        rows, at = self._rows(balance)
        opening = grid.columns["opening_stock"].filled(0.0)[at]
        some = opening > 0
        parents, periods = grid.links[relation].positions[at[some]], grid.links["period"].positions[at[some]]
        numbers = self._add("initial_inventory", (table, ""), parents, periods, opening[some])
        self.limits.rows_at_most(numbers, rows[some], -opening[some], lifted=0.0)

    def _stock_limits(self, table: str, by_period: str, grid_name: str, relation: str, names: tuple[str, str]) -> None:
        grid, parents = self.snapshot[grid_name], self.snapshot[table]
        self._upper_bounds(names[0], "max_inventory", (table, by_period), grid, relation)
        # stock  >=  min_inventory, and >= final_inventory at the end
        rows, at = self._rows(names[1])
        least = grid.columns["min_inventory"].filled(0.0)[at]
        final = parents.columns["final_inventory"].filled(0.0)[grid.links[relation].positions[at]]
        final = np.where(np.asarray(grid.columns["is_last"].values, dtype=np.bool_)[at], final, 0.0)
        some = least > 0
        numbers = self._of_grid("min_inventory", (table, by_period), grid, relation, at[some])
        self.limits.rows_at_least(numbers, rows[some], least[some])
        some = final > 0
        owners, periods = grid.links[relation].positions[at[some]], grid.links["period"].positions[at[some]]
        numbers = self._add("final_inventory", (table, ""), owners, periods, final[some])
        self.limits.rows_at_least(numbers, rows[some], final[some])

    def _machine_limits(self) -> None:
        tables, grid = ("machines", "machine_periods"), self.snapshot["machine_grid"]
        hours, up = grid.columns["available_hours"].filled(0.0), grid.columns["units_up"].filled(0.0)
        down = grid.columns["units_down"].filled(0.0)
        some = np.flatnonzero(down > 0)
        units_down = np.full(grid.size, MISSING)
        units_down[some] = self._of_grid("units_down", tables, grid, "machine", some)
        # sum of hours  <=  available_hours * units; less units_down, where some are
        rows, at = self._rows("machine_hours")
        numbers = self._of_grid("available_hours", tables, grid, "machine", at)
        self.limits.rows_at_most(numbers, rows, (hours * (up + down))[at])
        fewer = down[at] > 0
        self.limits.rows_at_most(numbers[fewer], rows[fewer], (hours * up)[at[fewer]], beside=units_down[at[fewer]])
        self._upper_bounds("overtime", "max_overtime_hours", tables, grid, "machine")
        # down  <=  units - units_down
        columns, at = self._columns("down")
        fewer = down[at] > 0
        self.limits.columns_at_most(units_down[at[fewer]], columns[fewer], up[at[fewer]], lifted=(up + down)[at[fewer]])
        # sum of down  >=  maintenance_units
        rows, at = self._rows("maintenance")
        wanted = self.snapshot["machines"].columns["maintenance_units"].filled(0.0)[at]
        numbers = self._add("maintenance_units", ("machines", ""), at, np.zeros(len(at), dtype=np.int64), wanted)
        self.limits.rows_at_least(numbers, rows, wanted)

    def _material_limits(self) -> None:
        tables, grid = ("raw_materials", "raw_material_periods"), self.snapshot["material_grid"]
        # supply  <=  available_quantity
        rows, at = self._rows("material_supply")
        numbers = self._of_grid("available_quantity", tables, grid, "material", at)
        self.limits.rows_at_most(numbers, rows, self._compiled.row_upper[rows])
        self._opening("material_balance", "raw_materials", grid, "material")

    # --- lots ---------------------------------------------------------------------------------

    def _lot_sources(self, field: str) -> Iterator[tuple[tuple[str, str], Positions, Positions, Floats]]:
        """Yield whose lot sizes hold: tables, row of the way grid, value's row times periods, value (nan: none)."""
        ways, horizon = self.snapshot["way_grid"], Horizon(self.snapshot["periods"])
        periods = ways.links["period"].positions
        routes = self.snapshot["ways"].links["route"].positions[ways.links["way"].positions]
        for tables, relation, parents in (
            (("products", "product_periods"), "product", ways.links["product"].positions),
            (("routes", "route_periods"), "route", routes),
        ):
            rows = np.flatnonzero(parents != MISSING)
            if len(rows):
                values = over_periods(self.snapshot[tables[0]], self.snapshot[tables[1]], relation, field, horizon)
                places = parents[rows] * self.count + periods[rows]
                yield tables, rows, places, values.filled(np.nan)[places]

    def _with_lot_rows(self, compiled: CompiledModel) -> CompiledModel:
        """Return the model with the rows of lots in a form that holds whatever is lifted.

        M comes from the data: in its place stands one that any useful lot fits into. The smallest lots of a product
        and of its route are rows of their own. Nothing is held of an earlier plan.
        """
        setups, lots = self._columns("setup")
        makes, ways = self._columns("make")
        make_of = np.full(self.snapshot["way_grid"].size, MISSING)
        make_of[ways], setup_of = makes, np.full(len(make_of), MISSING)
        setup_of[lots] = setups
        roomy = _ROOMY * max(1.0, self._largest())
        added: list[tuple[Positions, Positions, Floats, float]] = [
            (make_of[lots], setups, np.full(len(lots), -roomy), -1.0)
        ]
        self._least_lots: list[tuple[tuple[str, str], Positions, Floats]] = []
        for tables, rows, places, values in self._lot_sources("min_batch_size"):
            some = (values > 0) & (setup_of[rows] != MISSING)
            self._least_lots.append((tables, places[some], values[some]))
            added.append((make_of[rows[some]], setup_of[rows[some]], -values[some], 1.0))
        row_lower, row_upper = compiled.row_lower.copy(), compiled.row_upper.copy()
        for name, block in compiled.constraints.items():
            if name in ("lot_at_most", "lot_at_least") or name.startswith(HELD):
                row_lower[block.span], row_upper[block.span] = -np.inf, np.inf
        count = sum(len(part[0]) for part in added)
        sides = np.concatenate([np.full(len(part[0]), part[3]) for part in added])
        columns = np.stack([np.concatenate([part[i] for part in added]) for i in (0, 1)], axis=1)
        values = np.stack([np.ones(count), np.concatenate([part[2] for part in added])], axis=1)
        ends = compiled.starts[-1] + 2 * np.arange(1, count + 1)
        return replace(
            compiled,
            row_lower=np.concatenate([row_lower, np.where(sides > 0, 0.0, -np.inf)]),
            row_upper=np.concatenate([row_upper, np.where(sides < 0, 0.0, np.inf)]),
            starts=np.concatenate([compiled.starts, ends]).astype(np.int32),
            columns=np.concatenate([compiled.columns, columns.ravel()]).astype(np.int32),
            values=np.concatenate([compiled.values, values.ravel()]),
        )

    def _largest(self) -> float:
        """Return all quantities of the data together: what could have to be made is of this size."""
        tables = ("product_grid", "material_grid")
        fields = ("min_demand", "required_stock", "opening_stock", "max_inventory", "max_demand", "available_quantity")
        total = float(self.snapshot["way_grid"].columns["lot_limit"].filled(0.0).max(initial=0.0))
        for table in tables:
            columns = self.snapshot[table].columns
            total += sum(float(columns[name].filled(0.0).sum()) for name in fields if name in columns)
        return total

    def _lot_limits(self) -> None:
        # make  >=  min_batch_size * setup, of the product and of the route
        row = self._compiled.row_count + len(self._columns("setup")[0])
        for tables, places, values in self._least_lots:
            numbers = self._per_place("min_batch_size", tables, places, values)
            rows = np.arange(row, row + len(places))
            self.limits.rows_at_least(numbers, rows, np.zeros(len(places)))
            row += len(places)
        # make  <=  max_batch_size, of the product and of the route
        columns, ways = self._columns("make")
        column_of = np.full(self.snapshot["way_grid"].size, MISSING)
        column_of[ways] = columns
        blocked = np.asarray(self.snapshot["way_grid"].columns["is_blocked"].values, dtype=np.bool_)
        for tables, rows, places, values in self._lot_sources("max_batch_size"):
            some = ~np.isnan(values) & ~blocked[rows]
            numbers = self._per_place("max_batch_size", tables, places[some], values[some])
            self.limits.columns_at_most(numbers, column_of[rows[some]], values[some])

    def _per_place(self, field: str, tables: tuple[str, str], places: Positions, values: Floats) -> Positions:
        """Add a value for each place (row times periods); return the number that each of the places has."""
        distinct, first, number = np.unique(places, return_index=True, return_inverse=True)
        parents, periods = np.divmod(distinct, self.count)
        return self._add(field, tables, parents, periods, values[first])[number]


def _spread(block: Any) -> tuple[Positions, Positions]:
    rows = block.family.rows
    assert isinstance(rows, LXRows)
    return np.arange(block.start, block.start + block.size), rows.positions
