"""What a planner types, pastes or changes in many rows at once, under the rules of forms and import."""

from .by_period import PERIOD_TABLES, ByPeriod, Grid, GridRow, held_text, read_grid
from .record import edit_words
from .several import OPERATIONS, NotChanged, RowChange, SeveralChanges, change_several, preview_several, several_fields
from .typed import CellEdit, CellFault, CellFaults, Rights, Saved, save_cells

__all__ = [
    "OPERATIONS",
    "PERIOD_TABLES",
    "ByPeriod",
    "CellEdit",
    "CellFault",
    "CellFaults",
    "Grid",
    "GridRow",
    "NotChanged",
    "Rights",
    "RowChange",
    "Saved",
    "SeveralChanges",
    "change_several",
    "edit_words",
    "held_text",
    "preview_several",
    "read_grid",
    "save_cells",
    "several_fields",
]
