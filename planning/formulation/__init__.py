"""The mathematics of the plan format: from detached records to a model, and from its solution to a plan."""

from .conflict import Contradiction, contradiction
from .endless import Endless, endless_profit
from .hold import moved, why_not_held
from .lots import unproven_lots
from .model import build_model
from .plan import (
    PROFIT_PARTS,
    Plan,
    Prices,
    deviations,
    limit_places,
    limit_rows,
    plan_of,
    reached_levels,
    read_plan,
    read_prices,
    shortfalls,
    waste,
    with_decisions_held,
    without_idle_setups,
)
from .plan_change import plan_change, same_rows

__all__ = [
    "PROFIT_PARTS",
    "Contradiction",
    "Endless",
    "Plan",
    "Prices",
    "build_model",
    "contradiction",
    "deviations",
    "endless_profit",
    "limit_places",
    "limit_rows",
    "moved",
    "plan_change",
    "plan_of",
    "reached_levels",
    "read_plan",
    "read_prices",
    "same_rows",
    "shortfalls",
    "unproven_lots",
    "waste",
    "why_not_held",
    "with_decisions_held",
    "without_idle_setups",
]
