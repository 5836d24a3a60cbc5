"""The copy that the variations of a set share: bound to its set, and each run and its changes bound to it."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from planning.models import Run, RunCopy, RunSet, SetCopy
from planning.runs import execute, start_run, start_variations
from planning.runs.copies import read_copy
from planning.runs.signatures import SIZE, sign
from tests.factories import make_furniture
from tests.formulation.small_plants import baseline

pytestmark = pytest.mark.django_db

MORE = [{"table": "raw_materials", "row": "Wood", "field": "available_quantity", "value": 450}]
OTHER = [MORE[0] | {"value": 900}]


@pytest.fixture
def run() -> Run:
    """Return a queued variation of the furniture workshop; another one of its set has more wood."""
    return start_variations(scenario=baseline(make_furniture()), variations=[MORE, OTHER], here=True).runs[0]


def sibling(run: Run) -> Run:
    return Run.objects.filter(run_set=run.run_set).exclude(pk=run.pk).get()


def other_set(run: Run) -> RunSet:
    """Return another set of the same plant, whose data were other ones."""
    run.plant.machines.update(available_hours=50)
    found = start_variations(scenario=baseline(run.plant), variations=[MORE], here=True).run_set
    assert found is not None
    return found


def own_copy_of(run: Run) -> RunCopy:
    """Return the copy of a run by itself, of the same plant."""
    return start_run(baseline(run.plant), here=True).copy


def change_run(run: Run, **values: Any) -> None:
    Run.objects.filter(pk=run.pk).update(**values)


def change_copy(run: Run, **values: Any) -> None:
    RunCopy.objects.filter(pk=run.pk).update(**values)


def change_shared(run: Run, **values: Any) -> None:
    SetCopy.objects.filter(pk=run.run_set_id).update(**values)


def flip(content: Any, place: int) -> bytes:
    changed = bytearray(content)
    changed[place] ^= 1
    return bytes(changed)


def resigned(run: Run, purpose: str) -> bytes:
    """Return the run's signature as one for another purpose would be."""
    shared = SetCopy.objects.get(pk=run.run_set_id)
    return sign(purpose, f"{run.pk}:{shared.pk}:{shared.sha256}:".encode())


def move_all(run: Run) -> None:
    """Take the run with its copy to another set, whole."""
    there = other_set(run)
    change_run(run, run_set=there)
    change_copy(run, shared_id=there.pk)


ATTACKS: dict[str, Callable[[Run], None]] = {
    "other changes": lambda run: change_run(run, variation=OTHER),
    "fewer changes": lambda run: change_run(run, variation=[]),
    "no changes": lambda run: change_run(run, variation=None),
    "changes that are none": lambda run: change_run(run, variation={"table": "machines"}),
    "the sibling's signature": lambda run: change_copy(run, content=sibling(run).copy.content),
    "the sibling's signature and changes": lambda run: (
        change_copy(run, content=sibling(run).copy.content, sha256=sibling(run).copy.sha256),
        change_run(run, variation=OTHER),
    )[0],
    "another set": lambda run: change_run(run, run_set=other_set(run)),
    "no set": lambda run: change_run(run, run_set=None),
    "another set's copy": lambda run: change_copy(run, shared_id=other_set(run).pk),
    "another set and its copy": move_all,
    "the bytes of another set": lambda run: change_shared(
        run, **{name: getattr(other_set(run).copy, name) for name in ("content", "sha256", "size")}
    ),
    "the bytes of a run's own copy": lambda run: change_shared(run, content=own_copy_of(run).content),
    "the shared copy as its own": lambda run: change_copy(
        run, shared=None, content=SetCopy.objects.get().content, sha256=SetCopy.objects.get().sha256
    ),
    "a run's own copy": lambda run: change_copy(run, shared=None, content=own_copy_of(run).content),
    "a signature for another purpose": lambda run: change_copy(run, content=resigned(run, "copies")),
    "an empty signature": lambda run: change_copy(run, content=bytes(SIZE)),
    "no signature": lambda run: change_copy(run, content=b""),
    "a flipped bit in the signature": lambda run: change_copy(run, content=flip(run.copy.content, 0)),
    "a flipped bit in the shared signature": lambda run: change_shared(
        run, content=flip(SetCopy.objects.get().content, 0)
    ),
    "a flipped bit in the shared bytes": lambda run: change_shared(
        run, content=flip(SetCopy.objects.get().content, SIZE + 50)
    ),
    "shared bytes that are cut off": lambda run: change_shared(run, content=bytes(SetCopy.objects.get().content)[:-1]),
    "another checksum": lambda run: change_copy(run, sha256="0" * 64),
    "another size": lambda run: change_copy(run, size=10),
    "another shared checksum": lambda run: change_shared(run, sha256="0" * 64),
    "another shared size": lambda run: change_shared(run, size=10),
    "no copy": lambda run: run.copy.delete() and None,
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_what_is_not_what_was_signed_fails_the_run(attack: Callable[[Run], None], run: Run) -> None:
    attack(run)
    ended = execute(run.pk, 1)
    assert ended.state == "failed"
    assert "The stored copy was altered." in ended.reason
    assert ended.objective is None


def test_changes_that_are_added_to_a_run_by_itself_fail_it(run: Run) -> None:
    alone = start_run(baseline(run.plant), here=True)
    change_run(alone, variation=MORE)
    assert "altered" in execute(alone.pk, 1).reason


def test_a_run_by_itself_can_not_take_a_shared_copy(run: Run) -> None:
    alone = start_run(baseline(run.plant), here=True)
    change_run(alone, run_set=run.run_set, variation=MORE)
    change_copy(alone, shared_id=run.run_set_id, content=run.copy.content, sha256=run.copy.sha256, size=run.copy.size)
    assert "altered" in execute(alone.pk, 1).reason


def test_the_others_of_its_set_are_not_hurt(run: Run) -> None:
    change_run(run, variation=[])
    assert execute(run.pk, 1).state == "failed"
    assert execute(sibling(run).pk, 1).state == "solved"


def test_bytes_that_contradict_themselves_fail_the_run(run: Run) -> None:
    """Even where whoever wrote them holds the key; the solver's process reads them, and says so."""
    data = read_copy(run)[:-8]
    compressed, sha256 = zlib.compress(data), hashlib.sha256(data).hexdigest()
    content = sign("copies of sets", f"{run.run_set_id}:".encode() + compressed) + compressed
    change_shared(run, content=content, sha256=sha256, size=len(data))
    text = (
        '[{"field":"available_quantity","operation":"set","period":"",'
        '"row":"Wood","table":"raw_materials","value":450.0}]'
    )
    bound = f"{run.pk}:{run.run_set_id}:{sha256}:{text}".encode()
    checksum = hashlib.sha256(f"{sha256}:{text}".encode()).hexdigest()
    change_copy(run, content=sign("variations", bound), sha256=checksum, size=len(data))
    assert "altered" in execute(run.pk, 1).reason


def test_an_older_version_of_the_program_is_said(run: Run) -> None:
    change_shared(run, format_version=1)
    ended = execute(run.pk, 1)
    assert ended.state == "failed"
    assert "another version of the program" in ended.reason


def test_an_older_key_is_accepted_while_it_is_a_fallback(run: Run, settings: Any) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new key"
    assert execute(run.pk, 1).state == "solved"
