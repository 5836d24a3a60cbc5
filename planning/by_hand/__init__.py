"""A plan as a planner would make it by hand, without any solver: what the optimiser is measured against."""

from .ledger import Ledger
from .plan import plan_by_hand
from .planner import NoSimplePlan
from .ranking import Ranking

__all__ = ["Ledger", "NoSimplePlan", "Ranking", "plan_by_hand"]
