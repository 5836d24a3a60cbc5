"""A plant in and out: workbook (.xlsx) and folder of CSV files."""

from .exporting import export_plan
from .faults import ExportRefused, Fault, ImportFaults, nearest, show
from .importing import ImportResult, import_plan, read_plan
from .plan_file import PlanFile, RawTable
from .preview import CellChange, Preview, RowChange, TableChanges, preview_import, state_of

__all__ = [
    "CellChange",
    "ExportRefused",
    "Fault",
    "ImportFaults",
    "ImportResult",
    "PlanFile",
    "Preview",
    "RawTable",
    "RowChange",
    "TableChanges",
    "export_plan",
    "import_plan",
    "nearest",
    "preview_import",
    "read_plan",
    "show",
    "state_of",
]
