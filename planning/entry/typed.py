"""Saving cells of a grid: all of them or none, under the rules of the import, and never over someone else's edit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.models import CHANGE
from django.db import IntegrityError, models, transaction

from planning.exchange.cells import CellFault as WrongCell
from planning.exchange.cells import read_cell
from planning.exchange.rules import column_rules, ordered_pairs
from planning.models import Period, Plant
from planning.scenarios import value_in_words

from .by_period import ROWS_AT_ONCE, ByPeriod, held_text
from .record import EditedRow, edit_words, edits_in_words, entry, record, store, who_wrote

NAMED_CONFLICTS = 20  # cells for which it is looked up who changed them


@dataclass(frozen=True)
class CellEdit:
    """One cell: the parent's and the period's primary keys, the text that was shown and the new one."""

    parent: int
    period: int
    field: str
    old: str
    new: str

    @property
    def place(self) -> tuple[int, int, str]:
        """Where the cell stands."""
        return self.parent, self.period, self.field


@dataclass(frozen=True)
class CellFault:
    """What is wrong with a cell in words; `now` is its stored text where that is no longer what was shown."""

    cell: CellEdit
    text: str
    now: str | None = None


class CellFaults(Exception):
    """Nothing was saved; each fault names its cell."""

    def __init__(self, faults: Sequence[CellFault]) -> None:
        super().__init__(f"{len(faults)} cells can't be saved.")
        self.faults = list(faults)


@dataclass(frozen=True)
class Rights:
    """What the user may do with rows of the table."""

    add: bool
    change: bool
    delete: bool


@dataclass(frozen=True)
class Saved:
    """How many cells and rows were written."""

    cells: int
    made: int
    changed: int
    removed: int


@transaction.atomic
def save_cells(by_period: ByPeriod, plant: Plant, cells: Sequence[CellEdit], user: Any, may: Rights) -> Saved:
    """Save the cells; a row whose cells are all blank goes, one that is missing is made.

    Raises CellFaults with everything that is wrong, and then writes nothing.
    """
    Plant.objects.select_for_update().get(pk=plant.pk)
    saving = _Saving(by_period, plant, cells)
    saving.take_values()
    saving.check_rows(may)
    if saving.faults:
        raise CellFaults(saving.faults)
    rows = [edited for edited in saving.rows.values() if edited.edits]
    try:
        with transaction.atomic():
            store(by_period.table.model, rows)
    except IntegrityError:
        text = "The table was edited meanwhile. Nothing was saved. Save again."
        raise CellFaults([CellFault(cell, text) for cell in cells[:1]]) from None
    _record(by_period, saving, rows, user)
    return Saved(
        cells=sum(len(edited.edits) for edited in rows),
        made=sum(edited.is_new for edited in rows),
        changed=sum(not edited.is_new and not edited.is_blank for edited in rows),
        removed=sum(edited.is_blank for edited in rows),
    )


class _Saving:
    """The cells of one save, the rows that they stand in, and what is wrong with them."""

    def __init__(self, by_period: ByPeriod, plant: Plant, cells: Sequence[CellEdit]) -> None:
        self.by_period, self.cells = by_period, cells
        self.faults: list[CellFault] = []
        named = by_period.parents(plant).values_list("pk", *by_period.name_paths)
        self.parents = {pk: " / ".join(parts) for pk, *parts in named}
        self.periods: dict[int, str] = dict(Period.objects.filter(plant=plant).values_list("pk", "name"))
        self.stored = self._stored()
        self.rows: dict[tuple[int, int], EditedRow] = {}
        self._conflicts = 0

    def _stored(self) -> dict[tuple[int, int], models.Model]:
        """Return the rows that the cells stand in, locked."""
        relation = f"{self.by_period.relation}_id"
        wanted = sorted({cell.parent for cell in self.cells if cell.parent in self.parents})
        periods = sorted({cell.period for cell in self.cells if cell.period in self.periods})
        manager: Any = self.by_period.table.model._default_manager.select_for_update()
        found = {}
        for start in range(0, len(wanted), ROWS_AT_ONCE):
            chosen = {f"{relation}__in": wanted[start : start + ROWS_AT_ONCE], "period_id__in": periods}
            for row in manager.filter(**chosen):
                found[getattr(row, relation), row.period_id] = row
        return found

    # --- cells ----------------------------------------------------------------------------------

    def take_values(self) -> None:
        """Set the new values in their rows; note each cell that has none or is no longer as it was shown."""
        rules = column_rules(self.by_period.table)
        seen: set[tuple[int, int, str]] = set()
        for cell in self.cells:
            if text := self._unknown(cell, seen):
                self.faults.append(CellFault(cell, text))
                continue
            seen.add(cell.place)
            edited = self._row(cell)
            old = getattr(edited.row, cell.field)
            if held_text(old) != cell.old:
                self.faults.append(self._conflict(cell, edited, old))
                continue
            try:
                new = read_cell(rules[cell.field], cell.new.strip())
            except WrongCell as wrong:
                self.faults.append(CellFault(cell, str(wrong)))
                continue
            if new != old:
                setattr(edited.row, cell.field, new)
                edited.edits[cell.field] = (old, new)

    def _unknown(self, cell: CellEdit, seen: set[tuple[int, int, str]]) -> str:
        """Return why there is no such cell; "" where there is."""
        if cell.parent not in self.parents:
            return f"The {self.by_period.relation} is gone. Reload the page."
        if cell.period not in self.periods:
            return "The period is gone. Reload the page."
        if cell.field not in self.by_period.fields:
            return f'There is no field "{cell.field[:50]}" by period.'
        return "The cell was sent twice. Reload the page." if cell.place in seen else ""

    def _row(self, cell: CellEdit) -> EditedRow:
        key = (cell.parent, cell.period)
        if key not in self.rows:
            row = self.stored.get(key)
            name = f"{self.parents[cell.parent]} / {self.periods[cell.period]}"
            ids = {f"{self.by_period.relation}_id": cell.parent, "period_id": cell.period}
            self.rows[key] = EditedRow(row or self.by_period.table.model(**ids), name, is_new=row is None)
        return self.rows[key]

    def _conflict(self, cell: CellEdit, edited: EditedRow, held: Any) -> CellFault:
        """Return the fault of a cell that somebody else has edited since it was shown."""
        self._conflicts += 1
        now = held_text(held)
        who = self._who(cell, edited, held) if self._conflicts <= NAMED_CONFLICTS else ""
        by = f", changed by {who}" if who else ""
        was = "is blank now" if held is None else f"holds {now} now"
        text = f"The cell {was}{by}. Save again to write {cell.new or 'a blank'} over it, or undo."
        return CellFault(cell, text, now)

    def _who(self, cell: CellEdit, edited: EditedRow, held: Any) -> str:
        """Return who wrote what the cell holds, by the history of its row or else of its parent."""
        field, period = re.escape(cell.field.replace("_", " ")), re.escape(self.periods[cell.period])
        became = rf"[^;]* → {re.escape(value_in_words(held))}(;|\.(?!\d)|$)"
        if edited.row.pk and (who := who_wrote(type(edited.row), edited.row.pk, rf"\b{field} {became}")):
            return who
        on_parent = rf'\b{field} in {period} {became}|{period}": ([^"]*; )?{field} {became}'
        return who_wrote(self.by_period.parent.model, cell.parent, on_parent)

    # --- rows -----------------------------------------------------------------------------------

    def check_rows(self, may: Rights) -> None:
        """Note what the cells of a row contradict together, and what the user may not do."""
        by_row: dict[tuple[int, int], list[CellEdit]] = {}
        for cell in self.cells:
            by_row.setdefault((cell.parent, cell.period), []).append(cell)
        for key, edited in self.rows.items():
            if not edited.edits:
                continue
            edited.is_blank = all(getattr(edited.row, name) is None for name in self.by_period.fields)
            cells = [cell for cell in by_row[key] if cell.field in edited.edits]
            self._check_pairs(edited, cells)
            self._check_right(edited, cells, may)

    def _check_pairs(self, edited: EditedRow, cells: Iterable[CellEdit]) -> None:
        among = {cell.field: cell for cell in cells}
        for low, high, message in ordered_pairs(self.by_period.table):
            least, most = getattr(edited.row, low), getattr(edited.row, high)
            cell = among.get(high) or among.get(low)
            if cell is not None and least is not None and most is not None and most < least:
                text = f"{message} Here {low} is {held_text(least)} and {high} is {held_text(most)}."
                self.faults.append(CellFault(cell, text))

    def _check_right(self, edited: EditedRow, cells: Iterable[CellEdit], may: Rights) -> None:
        table = self.by_period.table.name.replace("_", " ")
        text = ""
        if edited.is_blank and not may.delete:
            text = f"Nothing would be left in the row, and you may not delete rows of {table}."
        elif edited.is_new and not may.add:
            text = f"There is no row for this period yet, and you may not add rows to {table}."
        elif not edited.is_new and not may.change:
            text = f"You may not change rows of {table}."
        if text:
            self.faults.extend(CellFault(cell, text) for cell in cells)


def _record(by_period: ByPeriod, saving: _Saving, rows: Sequence[EditedRow], user: Any) -> None:
    """Write the history of each row, and of each parent, which outlives its rows by period."""
    entries = [entry(user, edited.row, edited.name, edited.flag, f"{edits_in_words(edited.edits)}.") for edited in rows]
    by_parent: dict[int, list[str]] = {}
    for (parent, period), edited in saving.rows.items():
        where = f" in {saving.periods[period]}"
        words = [edit_words(name, old, new, where) for name, (old, new) in edited.edits.items()]
        if words:
            by_parent.setdefault(parent, []).extend(words)
    for pk, words in by_parent.items():
        parent_row = by_period.parent.model(pk=pk)
        entries.append(entry(user, parent_row, saving.parents[pk], CHANGE, f"{'; '.join(words)}."))
    record(entries)
