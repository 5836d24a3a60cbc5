"""The modelling layer: linear and whole-number models over rows of data.

It knows no Django, no queue and no settings. What is named here is public; the rest may change.
"""

from .analysis.changes import LXChange
from .analysis.infeasibility import (
    LXConflict,
    LXLeastChanges,
    endless_direction,
    find_conflict,
    least_change,
    least_changes,
)
from .analysis.limits import Limits
from .analysis.prices import LimitPrices, least_of_the_best, price_limits, solve_linear
from .analysis.results import LXBottleneck, LXPoint, LXWhatIfResult
from .analysis.scenario import LXScenario, LXScenarioAnalyzer, LXScenarioRow
from .analysis.sensitivity import LXConstraintSensitivity, LXSensitivityAnalyzer, LXVariableSensitivity
from .analysis.sides import LimitSides, limits_beyond, price_sides
from .analysis.what_if import LXWhatIfAnalyzer
from .closures import copy_function_detaching_closure
from .columns import LXColumn
from .compile import CompiledModel, compile_model, with_whole_decisions_held
from .constraint import LXConstraint
from .container import FORMAT_VERSION
from .detach import detach_orm_object, materialize_and_detach_list
from .dimension import LXIndexDimension
from .dump import dump_model
from .errors import (
    LXCopyError,
    LXDetachError,
    LXError,
    LXModelError,
    LXNotLoadedError,
    LXNotNowError,
    LXSolverError,
    LXUnsupportedError,
)
from .export import write_lp, write_mps
from .expression import LXLinearExpression
from .fresh import Difference, FreshRows, apply_to_fresh
from .goals import LEXICOGRAPHIC, WEIGHTED, Level
from .load import load_model
from .model import LXModel
from .optimizer import LXOptimizer
from .records import MISSING, LXLink, LXManyLink, LXRecord, LXRows, LXTable
from .solution import (
    ERROR,
    INFEASIBLE,
    INTERRUPTED,
    OPTIMAL,
    TIME_LIMIT,
    UNBOUNDED,
    LXSolution,
    LXValues,
)
from .solvers import LogCallback, Progress, ProgressCallback, SolverOptions, StopCallback, make_solver
from .solvers.by_priority import solve_by_priority, with_levels_held, with_levels_loosened
from .solvers.warm import WarmHighs
from .variable import LXVariable

__all__ = [
    "ERROR",
    "FORMAT_VERSION",
    "INFEASIBLE",
    "INTERRUPTED",
    "LEXICOGRAPHIC",
    "MISSING",
    "OPTIMAL",
    "TIME_LIMIT",
    "UNBOUNDED",
    "WEIGHTED",
    "CompiledModel",
    "Difference",
    "FreshRows",
    "LXBottleneck",
    "LXChange",
    "LXColumn",
    "LXConflict",
    "LXConstraint",
    "LXConstraintSensitivity",
    "LXCopyError",
    "LXDetachError",
    "LXError",
    "LXIndexDimension",
    "LXLeastChanges",
    "LXLinearExpression",
    "LXLink",
    "LXManyLink",
    "LXModel",
    "LXModelError",
    "LXNotLoadedError",
    "LXNotNowError",
    "LXOptimizer",
    "LXPoint",
    "LXRecord",
    "LXRows",
    "LXScenario",
    "LXScenarioAnalyzer",
    "LXScenarioRow",
    "LXSensitivityAnalyzer",
    "LXSolution",
    "LXSolverError",
    "LXTable",
    "LXUnsupportedError",
    "LXValues",
    "LXVariable",
    "LXVariableSensitivity",
    "LXWhatIfAnalyzer",
    "LXWhatIfResult",
    "Level",
    "LimitPrices",
    "LimitSides",
    "Limits",
    "LogCallback",
    "Progress",
    "ProgressCallback",
    "SolverOptions",
    "StopCallback",
    "WarmHighs",
    "apply_to_fresh",
    "compile_model",
    "copy_function_detaching_closure",
    "detach_orm_object",
    "dump_model",
    "endless_direction",
    "find_conflict",
    "least_change",
    "least_changes",
    "least_of_the_best",
    "limits_beyond",
    "load_model",
    "make_solver",
    "materialize_and_detach_list",
    "price_limits",
    "price_sides",
    "solve_by_priority",
    "solve_linear",
    "with_levels_held",
    "with_levels_loosened",
    "with_whole_decisions_held",
    "write_lp",
    "write_mps",
]
