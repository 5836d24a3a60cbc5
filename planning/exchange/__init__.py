"""A plant in and out: workbook (.xlsx) and folder of CSV files."""

from .csv_write import cell as csv_cell
from .exporting import export_plan, export_sheets
from .faults import ExportRefused, Fault, ImportFaults, nearest, show
from .importing import ImportResult, import_plan, read_plan
from .plan_file import PlanFile, RawTable
from .preview import CellChange, Preview, RowChange, TableChanges, preview_import, state_of
from .sample import SAMPLE_PLANT, load_sample
from .workbook_write import Sheet, write_sheets

__all__ = [
    "SAMPLE_PLANT",
    "CellChange",
    "ExportRefused",
    "Fault",
    "ImportFaults",
    "ImportResult",
    "PlanFile",
    "Preview",
    "RawTable",
    "RowChange",
    "Sheet",
    "TableChanges",
    "csv_cell",
    "export_plan",
    "export_sheets",
    "import_plan",
    "load_sample",
    "nearest",
    "preview_import",
    "read_plan",
    "show",
    "state_of",
    "write_sheets",
]
