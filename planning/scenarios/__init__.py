"""What a planner does with scenarios beyond changing and running them: copies, order, promotion to the base data."""

from .copies import NameTaken, duplicate, free_name, new_scenario
from .history import change_in_words, edit_in_words, value_in_words
from .order import put_in_order
from .promotion import NotPromoted, Promotion, preview, promote

__all__ = [
    "NameTaken",
    "NotPromoted",
    "Promotion",
    "change_in_words",
    "duplicate",
    "edit_in_words",
    "free_name",
    "new_scenario",
    "preview",
    "promote",
    "put_in_order",
    "value_in_words",
]
