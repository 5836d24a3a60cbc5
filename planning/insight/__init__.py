"""What runs mean: what limits a plan, what was won, what earns, how far the data have moved on, runs side by side."""

from planning.by_hand import NoSimplePlan

from .bottlenecks import Bottleneck, Bottlenecks, TightLimit, bottlenecks
from .compared_inputs import ComparedInputs, InputDifference
from .compared_plans import Amounts, ComparedGoal, ComparedOrder, ComparedResource, Figure, OrderOutcome, PlanLine
from .comparison import CannotCompare, ComparedRun, Comparison, compare, only_differences
from .comparison_report import comparison_as_json, comparison_sheets, plan_sheet
from .data_changes import DataChanges, column_values, data_changes
from .earnings import Earnings, earnings
from .glance import Glance, glances
from .health import Health, Load, health
from .machine_load import Campaign, MachineLoad, campaigns, machine_load, way_hours
from .remedies import NotUndone, Remedy, find_subject, remedies
from .shortfalls import Shortfall, Shortfalls, shortfalls
from .solved_plan import NoSolvedData, SolvedPlan, snapshot_of, solved_plan
from .subjects import Subject
from .trials import NoRemedy, Trial, Trials, make_scenario, trials, try_remedies
from .won import Gains, NotMadeYet, Pair, gains, make_by_hand

__all__ = [
    "Amounts",
    "Bottleneck",
    "Bottlenecks",
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
    "Gains",
    "Glance",
    "Health",
    "InputDifference",
    "Load",
    "MachineLoad",
    "NoRemedy",
    "NoSimplePlan",
    "NoSolvedData",
    "NotMadeYet",
    "NotUndone",
    "OrderOutcome",
    "Pair",
    "PlanLine",
    "Remedy",
    "Shortfall",
    "Shortfalls",
    "SolvedPlan",
    "Subject",
    "TightLimit",
    "Trial",
    "Trials",
    "bottlenecks",
    "campaigns",
    "column_values",
    "compare",
    "comparison_as_json",
    "comparison_sheets",
    "data_changes",
    "earnings",
    "find_subject",
    "gains",
    "glances",
    "health",
    "machine_load",
    "make_by_hand",
    "make_scenario",
    "only_differences",
    "plan_sheet",
    "remedies",
    "shortfalls",
    "snapshot_of",
    "solved_plan",
    "trials",
    "try_remedies",
    "way_hours",
]
