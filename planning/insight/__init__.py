"""What a run means: hours and earnings of its plan, and how far the data have moved on since."""

from .data_changes import DataChanges, column_values, data_changes
from .earnings import Earnings, earnings
from .machine_load import Campaign, MachineLoad, campaigns, machine_load, way_hours
from .solved_plan import NoSolvedData, SolvedPlan, snapshot_of, solved_plan

__all__ = [
    "Campaign",
    "DataChanges",
    "Earnings",
    "MachineLoad",
    "NoSolvedData",
    "SolvedPlan",
    "campaigns",
    "column_values",
    "data_changes",
    "earnings",
    "machine_load",
    "snapshot_of",
    "solved_plan",
    "way_hours",
]
