"""Sessions of what-ifs: who answers, how many at once, what becomes of a question whose process dies."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from planning.models import Run, RunCopy, WhatIfSession
from planning.runs import answer_of, answer_what_ifs, ask, get_ready, has_process, start_run
from planning.runs.states import this_process
from planning.runs.what_if_sessions import bury, claim, next_question, record, release, start_sessions, waits
from planning.snapshot import Change
from tests.factories import make_furniture, make_user, solve_here
from tests.formulation.small_plants import baseline

pytestmark = pytest.mark.django_db

WOOD = Change("raw_materials", "Wood", "available_quantity", "set", 600.0)


@pytest.fixture
def run() -> Run:
    return solve_here(start_run(baseline(make_furniture()), here=True))


@pytest.fixture
def user() -> User:
    return make_user("planner")


def only() -> WhatIfSession:
    return WhatIfSession.objects.get()


def be_idle(session: WhatIfSession, worker: str = "elsewhere:1") -> None:
    """Let a process have the session, in which nobody has asked for a minute."""
    now = timezone.now()
    values = {"worker": worker, "heartbeat_at": now, "asked_at": now - timedelta(minutes=1)}
    WhatIfSession.objects.filter(pk=session.pk).update(**values)


def test_the_last_question_takes_the_place_of_earlier_ones(run: Run, user: User) -> None:
    assert ask(run=run, user=user, changes=[WOOD]) == 1
    assert ask(run=run, user=user, changes=[Change(**{**vars(WOOD), "value": 700.0})]) == 2
    session = claim(only().pk)
    assert session is not None
    is_mine, question = next_question(session.pk)
    assert is_mine
    assert question is not None
    assert (question.number, question.changes[0]["value"]) == (2, 700.0)
    record(session.pk, 2, {"words": ""})
    assert next_question(session.pk) == (True, None)
    answered = answer_of(run=run, user=user)
    assert answered is not None
    assert answered.answered == 2


def test_one_process_alone_has_a_session(run: Run, user: User) -> None:
    number = get_ready(run=run, user=user).pk
    assert claim(number) is not None
    assert claim(number) is None
    assert has_process(only())
    release(number)
    assert not has_process(only())
    WhatIfSession.objects.update(worker="elsewhere:1", heartbeat_at=timezone.now() - timedelta(minutes=5))
    assert claim(number) is not None  # the other one gave no sign of life


def test_what_is_another_process_s_is_left_alone(run: Run, user: User) -> None:
    ask(run=run, user=user, changes=[WOOD])
    be_idle(only())
    assert next_question(only().pk) == (False, None)
    record(only().pk, 1, {"words": "mine"})
    release(only().pk)
    assert (only().answered, only().worker) == (0, "elsewhere:1")


def test_idle_processes_make_room_for_who_waits(run: Run, user: User, settings: Any) -> None:
    settings.PLANNING = {**settings.PLANNING, "WHAT_IFS": 0}
    get_ready(run=run, user=make_user("idle"))
    be_idle(only())
    ask(run=run, user=user, changes=[WOOD])
    assert start_sessions() == []
    assert not WhatIfSession.objects.exclude(worker="").exists()


def test_who_is_asking_keeps_the_place(run: Run, user: User, settings: Any) -> None:
    settings.PLANNING = {**settings.PLANNING, "WHAT_IFS": 1}
    get_ready(run=run, user=make_user("busy"))
    be_idle(only())
    WhatIfSession.objects.update(asked_at=timezone.now())
    ask(run=run, user=user, changes=[WOOD])
    assert start_sessions() == []
    assert WhatIfSession.objects.filter(worker="elsewhere:1").exists()


def test_a_process_that_dies_answers_its_question_with_its_death(run: Run, user: User) -> None:
    ask(run=run, user=user, changes=[WOOD])
    number = only().pk
    claim(number)
    bury(number, "elsewhere:1", -9)
    assert only().worker == this_process()
    bury(number, this_process(), -9)
    assert "was killed by signal 9" in only().answer["words"]
    assert (only().worker, only().answered) == ("", 1)
    assert not waits(number)


def test_a_copy_that_was_altered_is_never_opened(run: Run, user: User) -> None:
    ask(run=run, user=user, changes=[WOOD])
    content = bytes(RunCopy.objects.get(run=run).content)
    RunCopy.objects.filter(run=run).update(content=content[:-1] + bytes([content[-1] ^ 1]))
    answer_what_ifs(only().pk)
    assert "signature does not match" in only().answer["words"]
    assert only().worker == ""


@pytest.mark.django_db(transaction=True)
def test_a_process_answers_and_leaves(user: User) -> None:
    run = solve_here(start_run(baseline(make_furniture()), here=True))
    WhatIfSession.objects.create(
        run=run,
        user=user,
        asked=1,
        question={"changes": [vars(WOOD)], "limit": ["material", "Wood", "1"]},
        asked_at=timezone.now(),
    )
    answer_what_ifs(only().pk, leave=lambda: only().answered == 1)
    answer = only().answer
    assert answer["profit"] == pytest.approx([2735.714286, 3307.142857])
    assert answer["price"]["more"] == pytest.approx(200 / 35)
    assert (answer["open"], only().worker) == (False, "")


def test_what_is_no_question_is_answered_in_words(run: Run, user: User) -> None:
    """Whoever can write to the database can ask anything; it runs no code, and it brings nothing down."""
    from planning.runs.copies import read_copy
    from planning.runs.variations import BadVariation
    from planning.runs.what_if import Decided, Desk
    from planning.runs.what_if_process import decided

    desk = Desk(read_copy(run), None, Decided(**decided(run)))
    with pytest.raises(BadVariation):
        desk.answer([{"table": "machines", "rows": "*"}])
    assert "no table" in desk.answer([{"table": "secrets", "row": "*", "field": "x", "value": 1}])["words"]
