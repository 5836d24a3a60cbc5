"""What a run means: hours and earnings of its plan, and how far the data have moved on since."""

from .data_changes import DataChanges, column_values, data_changes
from .earnings import Earnings, earnings
from .health import Health, Load, health
from .machine_load import Campaign, MachineLoad, campaigns, machine_load, way_hours
from .solved_plan import NoSolvedData, SolvedPlan, snapshot_of, solved_plan

__all__ = [
    "Campaign",
    "DataChanges",
    "Earnings",
    "Health",
    "Load",
    "MachineLoad",
    "NoSolvedData",
    "SolvedPlan",
    "campaigns",
    "column_values",
    "data_changes",
    "earnings",
    "health",
    "machine_load",
    "snapshot_of",
    "solved_plan",
    "way_hours",
]
