"""Which constraints hold the objective back: each is relaxed by itself."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ..constraint import EQ
from ..errors import LXModelError, LXNotNowError
from ..index import EVERY
from .changes import LXChange
from .live import LiveModel
from .results import LXBottleneck, LXWhatIfResult
from .trial import Trial

_NOISE = 1e-9  # of the objective's size: solvers differ by as much from one solve to the next


def bottlenecks(live: LiveModel, names: Sequence[str], by: float) -> list[LXBottleneck]:
    """Return the constraints that bring something when they are relaxed by so much, what brings most first."""
    if not (isinstance(by, (int, float)) and 0 < by < math.inf):
        raise LXModelError(f"by={by!r} relaxes nothing. Give a number above 0.")
    families = _families(live, names)
    baseline = live.baseline
    if baseline.objective_value is None:
        raise LXNotNowError(f"There is no plan to improve: the solve ended as {baseline.termination}.")
    least = _NOISE * max(1.0, abs(baseline.objective_value))
    found = []
    for name in families:
        for key, change in _relaxed(live, name, by):
            result = LXWhatIfResult(str(change), baseline, live.solve(Trial(live.base, [change])), (change,))
            if result.improvement > least:
                found.append(LXBottleneck(name, key, result.improvement / by, result))
    return sorted(found, key=lambda bottleneck: -bottleneck.relief)


def _families(live: LiveModel, names: Sequence[str]) -> Sequence[str]:
    """Return the families to try: those named, or all inequalities."""
    senses = live.base.senses
    for name in names:
        live.base.members(live.base.compiled.constraints, name, ())
        if senses[name] == EQ:
            raise LXModelError(f"{name} is ==: it has no looser side. Name constraints that are <= or >=.")
    families = names or [name for name, sense in senses.items() if sense != EQ]
    if not families:
        raise LXModelError(f"Model {live.base.model_name} has no constraint that is <= or >=, so there is none to try.")
    return families


def _relaxed(live: LiveModel, name: str, by: float) -> Iterator[tuple[object, LXChange]]:
    """Yield the members that relaxing may help: by duality no row of a linear model whose dual is 0."""
    block, duals = live.base.compiled.constraints[name], live.baseline.row_duals
    for place, key in enumerate(block.family.keys):
        if duals is None or duals[block.start + place] != 0.0:
            yield key, LXChange.relax(name, by=by, key=EVERY if block.family.index is None else key)
