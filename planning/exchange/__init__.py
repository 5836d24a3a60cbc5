"""A plant in and out: workbook (.xlsx) and folder of CSV files."""

from .exporting import export_plan
from .faults import ExportRefused, Fault, ImportFaults, nearest, show
from .importing import ImportResult, import_plan, read_plan
from .plan_file import PlanFile, RawTable

__all__ = [
    "ExportRefused",
    "Fault",
    "ImportFaults",
    "ImportResult",
    "PlanFile",
    "RawTable",
    "export_plan",
    "import_plan",
    "nearest",
    "read_plan",
    "show",
]
