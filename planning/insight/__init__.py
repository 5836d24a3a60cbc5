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
from .levers import KINDS as LEVER_KINDS
from .levers import Lever, NoLever, find_lever, lever_rows
from .machine_load import Campaign, MachineLoad, campaigns, machine_load, way_hours
from .relief import scenario_of_relief
from .remedies import NotUndone, Remedy, find_subject, remedies
from .shortfalls import Shortfall, Shortfalls, shortfalls
from .solved_plan import NoSolvedData, SolvedPlan, snapshot_of, solved_plan
from .subjects import Subject
from .sweeps import Axis, BadSweep, Sweep, bottleneck_words, start_sweep, sweep_of, value_words
from .trials import NoRemedy, Trial, Trials, make_scenario, trials, try_remedies
from .true_solves import TrueSolves, solve_truly, true_solves
from .won import Gains, NotMadeYet, Pair, gains, make_by_hand

__all__ = [
    "LEVER_KINDS",
    "Amounts",
    "Axis",
    "BadSweep",
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
    "Lever",
    "Load",
    "MachineLoad",
    "NoLever",
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
    "Sweep",
    "TightLimit",
    "Trial",
    "Trials",
    "TrueSolves",
    "bottleneck_words",
    "bottlenecks",
    "campaigns",
    "column_values",
    "compare",
    "comparison_as_json",
    "comparison_sheets",
    "data_changes",
    "earnings",
    "find_lever",
    "find_subject",
    "gains",
    "glances",
    "health",
    "lever_rows",
    "machine_load",
    "make_by_hand",
    "make_scenario",
    "only_differences",
    "plan_sheet",
    "remedies",
    "scenario_of_relief",
    "shortfalls",
    "snapshot_of",
    "solve_truly",
    "solved_plan",
    "start_sweep",
    "sweep_of",
    "trials",
    "true_solves",
    "try_remedies",
    "value_words",
    "way_hours",
]
