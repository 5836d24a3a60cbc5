"""Whoever can write to Redis puts messages there: none is executed, and the operator reads of it."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import os
import pickle
import re
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from redis import Redis

from planning.models import Plant, Run
from planning.runs import RunOptions, reconcile, start_run
from planning.runs.messages import SignedJSON
from planning.runs.queue import FUNCTION
from planning.runs.signatures import SIZE, sign
from planning.runs.states import State, move
from tests.faults.nursery import Nursery
from tests.faults.test_redis import work
from tests.faults.truth import assert_a_new_run_works, assert_best, assert_whole, let_time_pass, states
from tests.formulation.small_plants import baseline
from tests.private_redis import PrivateRedis


class Bomb:
    """Makes a folder where it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.folder),)


def text_of(message: bytes) -> bytes:
    return message[SIZE:]


def flipped(message: bytes, place: int) -> bytes:
    changed = bytearray(message)
    changed[place] ^= 1
    return bytes(changed)


def foreign(message: bytes) -> bytes:
    """Return the message, signed by a site with another key."""
    key = hmac.new(b"another site's key", b"planning.runs.messages", hashlib.sha256).digest()
    return hmac.new(key, text_of(message), hashlib.sha256).digest() + text_of(message)


FORGED: dict[str, Callable[[bytes], bytes]] = {
    "not signed": text_of,
    "with an empty signature": lambda message: bytes(SIZE) + text_of(message),
    "cut at its end": lambda message: message[:-1],
    "cut in its signature": lambda message: message[: SIZE // 2],
    "cut to nothing": lambda _: b"",
    "with another signature": lambda message: flipped(message, 0),
    "with another attempt": lambda message: message.replace(b", 1, ", b", 2, "),
    "with another function": lambda message: message.replace(FUNCTION.encode(), b"os.system"),
    "with something behind its end": lambda message: message + b" ",
    "signed with another key": foreign,
    "signed for another purpose": lambda message: sign("copies", text_of(message)) + text_of(message),
    "not JSON": lambda _: b"\xff" * 200,
}


CALLS: list[Any] = [
    ["os.mkdir", None, ["{folder}"], {}],
    [FUNCTION, None, ["{run}", 1, 60], {}],
    [FUNCTION, None, [1, 1, -60], {}],
    [FUNCTION, None, [1, 1, True], {}],
    [FUNCTION, None, [], {"run_id": 1, "attempt": 1, "seconds": 60}],
    [FUNCTION, "a self", [1, 1, 60], {}],
    ["planning.runs.execute.execute", None, [1, 1, 60], {}],
    [FUNCTION, None],
    {"function": FUNCTION},
    None,
]
MORE = {
    "success_callback_name": "os.getcwd",
    "failure_callback_name": "os.getcwd",
    "stopped_callback_name": "os.getcwd",
    "dependency_ids": '["run-1-1"]',
    "retries_left": "3",
    "repeats_left": "3",
}


NONSENSE: dict[str, str | bytes] = {name: name for name in ("status", "timeout", "created_at", "result_ttl")} | {
    "a field's name": b"\xff"
}


def sent_runs(plant: Plant, names: Iterable[str]) -> dict[str, Run]:
    """Return a run in the queue for each of the names."""
    options = (RunOptions(time_limit=60, gap=0.001 * number) for number in itertools.count(1))
    return {name: start_run(baseline(plant), next(options)) for name in names}


def key_of(run: Run) -> str:
    return f"rq:job:run-{run.pk}-1"


def message_of(redis: Redis, run: Run) -> bytes:
    """Return the message in the run's job."""
    return zlib.decompress(redis.hget(key_of(run), "data"))


def put(redis: Redis, run: Run, message: bytes) -> None:
    redis.hset(key_of(run), "data", zlib.compress(message))


def refusals(redis: Redis, nursery: Nursery) -> dict[str, str]:
    """Let a worker empty the queue; return why it refused what by name of the job, as the operator reads it."""
    log = work(nursery).log
    line = re.compile(r" ERROR planning\.runs Job (\S+) was refused: (.*?)(?: \[run=.*\])?$", re.MULTILINE)
    found = dict(line.findall(log))
    assert {job: redis.hget(f"rq:job:{job}", "status") for job in found} == dict.fromkeys(found, b"failed")
    return found


def assert_all_refused(runs: dict[str, Run], found: dict[str, str], why: str = "") -> None:
    """Assert that each job was refused, and that no run was touched."""
    assert {name: why in found.get(f"run-{run.pk}-1", "no line") for name, run in runs.items()} == dict.fromkeys(
        runs, True
    )
    for run in runs.values():
        assert states(run) == ["queued 1"]
        assert_whole(run)


def test_messages_that_are_not_ours(queue: PrivateRedis, furniture: Plant, nursery: Nursery) -> None:
    redis, runs = queue.client(), sent_runs(furniture, FORGED)
    for name, run in runs.items():
        put(redis, run, FORGED[name](message_of(redis, run)))
    assert_all_refused(runs, refusals(redis, nursery), "its message can't be read")


def test_messages_that_are_not_compressed(queue: PrivateRedis, furniture: Plant, nursery: Nursery) -> None:
    redis, runs = queue.client(), sent_runs(furniture, FORGED)
    for name, run in runs.items():
        redis.hset(key_of(run), "data", FORGED[name](message_of(redis, run)))
    assert_all_refused(runs, refusals(redis, nursery), "its message can't be read")


def test_a_run_whose_message_was_forged_is_sent_again(
    sent: Run, queue: PrivateRedis, furniture: Plant, nursery: Nursery
) -> None:
    put(queue.client(), sent, b"nonsense")
    work(nursery)
    let_time_pass(sent)
    reconcile()
    work(nursery)
    assert_best(sent)
    assert_a_new_run_works(furniture)


def test_pickles(queue: PrivateRedis, furniture: Plant, nursery: Nursery, tmp_path: Path) -> None:
    """Even where whoever wrote them holds the key."""
    redis, runs = queue.client(), sent_runs(furniture, ["not signed", "signed"])
    bomb = pickle.dumps(Bomb(tmp_path / "exploded"))
    put(redis, runs["not signed"], bomb)
    put(redis, runs["signed"], sign("messages", bomb) + bomb)
    assert_all_refused(runs, refusals(redis, nursery), "its message can't be read")
    assert not (tmp_path / "exploded").exists()


def test_what_is_signed_and_no_message_of_ours(
    queue: PrivateRedis, furniture: Plant, nursery: Nursery, tmp_path: Path
) -> None:
    """As from a program on this site that holds the key and is fooled."""
    calls = {str(call): call for call in CALLS}
    redis, runs = queue.client(), sent_runs(furniture, calls)
    for name, run in runs.items():
        text = json.dumps(calls[name]).replace("{folder}", str(tmp_path / "made")).replace("{run}", str(run.pk))
        put(redis, run, SignedJSON.dumps(json.loads(text)))
    assert_all_refused(runs, refusals(redis, nursery))
    assert not (tmp_path / "made").exists()


def test_messages_of_ours_in_jobs_that_ask_for_more(queue: PrivateRedis, furniture: Plant, nursery: Nursery) -> None:
    redis, runs = queue.client(), sent_runs(furniture, MORE)
    for name, run in runs.items():
        redis.hset(key_of(run), name, MORE[name])
    found = refusals(redis, nursery)
    assert_all_refused(runs, found, "it carries ")
    assert all(name in found[f"run-{run.pk}-1"] for name, run in runs.items())


def test_more_data_than_any_message_has(queue: PrivateRedis, furniture: Plant, nursery: Nursery) -> None:
    redis, runs = queue.client(), sent_runs(furniture, ["packed", "plain"])
    put(redis, runs["packed"], b" " * 100_000_000)
    redis.hset(key_of(runs["plain"]), "data", b" " * 1_000_000)
    assert_all_refused(runs, refusals(redis, nursery), "it carries more data than any job of ours")


def test_jobs_that_can_not_be_read(queue: PrivateRedis, furniture: Plant, nursery: Nursery) -> None:
    """None of them ends the worker that comes upon it."""
    redis, runs = queue.client(), sent_runs(furniture, NONSENSE)
    for name, run in runs.items():
        redis.hset(key_of(run), NONSENSE[name], b"\xff\xfe")
    assert_all_refused(runs, refusals(redis, nursery), "it carries ")


class TestPlayedBack:
    def test_a_message_after_its_run_has_ended(self, sent: Run, queue: PrivateRedis, nursery: Nursery) -> None:
        redis = queue.client()
        kept = redis.hgetall(key_of(sent))
        work(nursery)
        assert_best(sent)
        before = states(sent)
        redis.hset(key_of(sent), mapping=kept)
        redis.rpush("rq:queue:short", f"run-{sent.pk}-1")
        assert refusals(redis, nursery) == {f"run-{sent.pk}-1": f"run {sent.pk} does not wait in attempt 1"}
        assert_best(sent)
        assert states(sent) == before

    def test_a_message_in_another_job(self, queue: PrivateRedis, furniture: Plant, nursery: Nursery) -> None:
        redis, runs = queue.client(), sent_runs(furniture, ["own", "other"])
        own, other = (f"run-{run.pk}-1" for run in runs.values())
        put(redis, runs["other"], message_of(redis, runs["own"]))
        redis.hset("rq:job:mine", mapping=redis.hgetall(key_of(runs["own"])))
        redis.rpush("rq:queue:short", "mine")
        why = f"its name is not that of its message, {own}"
        assert refusals(redis, nursery) == {other: why, "mine": why}
        assert_best(runs["own"])
        assert states(runs["other"]) == ["queued 1"]

    def test_the_message_of_an_earlier_attempt(self, sent: Run, queue: PrivateRedis, nursery: Nursery) -> None:
        move(sent.pk, 1, (State.QUEUED,), State.RUNNING)
        move(sent.pk, 1, (State.RUNNING,), State.QUEUED)
        found = refusals(queue.client(), nursery)
        assert found == {f"run-{sent.pk}-1": f"run {sent.pk} does not wait in attempt 1"}
        assert_best(sent)  # the worker sent the second attempt when it started
        assert sent.attempt == 2

    def test_the_message_of_a_run_that_was_deleted(
        self, sent: Run, queue: PrivateRedis, furniture: Plant, nursery: Nursery
    ) -> None:
        number = sent.pk
        sent.delete()
        found = refusals(queue.client(), nursery)
        assert found == {f"run-{number}-1": f"run {number} does not wait in attempt 1"}
        assert not Run.objects.exists()
        assert_a_new_run_works(furniture)
