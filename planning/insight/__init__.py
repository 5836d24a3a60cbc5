"""What runs mean: hours and earnings of a plan, how far the data have moved on since, runs side by side."""

from .compared_inputs import ComparedInputs, InputDifference
from .compared_plans import Amounts, ComparedGoal, ComparedOrder, ComparedResource, Figure, OrderOutcome, PlanLine
from .comparison import CannotCompare, ComparedRun, Comparison, compare, only_differences
from .comparison_report import comparison_as_json, comparison_sheets, plan_sheet
from .data_changes import DataChanges, column_values, data_changes
from .earnings import Earnings, earnings
from .health import Health, Load, health
from .machine_load import Campaign, MachineLoad, campaigns, machine_load, way_hours
from .solved_plan import NoSolvedData, SolvedPlan, snapshot_of, solved_plan

__all__ = [
    "Amounts",
    "Campaign",
    "CannotCompare",
    "ComparedGoal",
    "ComparedInputs",
    "ComparedOrder",
    "ComparedResource",
    "ComparedRun",
    "Comparison",
    "DataChanges",
    "Earnings",
    "Figure",
    "Health",
    "InputDifference",
    "Load",
    "MachineLoad",
    "NoSolvedData",
    "OrderOutcome",
    "PlanLine",
    "SolvedPlan",
    "campaigns",
    "column_values",
    "compare",
    "comparison_as_json",
    "comparison_sheets",
    "data_changes",
    "earnings",
    "health",
    "machine_load",
    "only_differences",
    "plan_sheet",
    "snapshot_of",
    "solved_plan",
    "way_hours",
]
