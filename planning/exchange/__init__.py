"""A plant in and out: workbook (.xlsx) and folder of CSV files."""

from .csv_write import cell as csv_cell
from .exporting import export_plan, export_sheets
from .faults import ExportRefused, Fault, ImportFaults, nearest, show
from .importing import ImportResult, import_plan, read_plan
from .plan_file import PlanFile, RawTable
from .preview import CellChange, Preview, RowChange, TableChanges, preview_import, state_of
from .sample import SAMPLE_PLANT, load_sample
from .some_tables import import_tables, preview_tables
from .template import export_template, template_sheets
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
    "export_template",
    "import_plan",
    "import_tables",
    "load_sample",
    "nearest",
    "preview_import",
    "preview_tables",
    "read_plan",
    "show",
    "state_of",
    "template_sheets",
    "write_sheets",
]
