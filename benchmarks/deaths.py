"""Random deaths under load: whatever dies, each run ends in one true state with a reason, and nothing is half written.

    python benchmarks/deaths.py [--rounds 50] [--seed 1] [--database sqlite]

Two real workers, a real Redis, SQLite or a private PostgreSQL server. Each round starts runs, lets something
die at a random moment, waits until all runs have ended, checks them, and tries a new run. Workers that are
gone are started again, as a service manager does. Silence counts after 6 s instead of 60, so that a round
takes seconds; all else is as on a site. Prints a table; the exit code is 1 where anything was untrue.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

QUICK = {
    "states__SILENCE": 6.0,
    "watch___BEAT_SECONDS": 1.0,
    "worker__RECONCILE_SECONDS": 2,
    "worker__LOOK_SECONDS": 1,
    "worker__MONITOR_SECONDS": 1,
}
SUSPENDED_SECONDS = 8.0  # longer than silence
PATIENCE = 180.0  # seconds for all runs of a round; a job that died before its claim blocks its run for 65
WORKERS, HARD_RUNS = 2, 4


@dataclass
class Tally:
    """What became of the runs of one kind of death."""

    rounds: int = 0
    missed: int = 0  # nothing was there to kill
    runs: int = 0
    first: int = 0  # ended in their first attempt
    later: int = 0
    failed: int = 0  # ended as failed, with the reason
    longest: float = 0.0  # seconds until all had ended
    untrue: list[str] = field(default_factory=list)


class Site:
    """A site under load: its plants, its workers, its queue."""

    def __init__(self, nursery: Any, redis: Any, chance: random.Random) -> None:
        from tests.factories import make_furniture
        from tests.runs.rich_plant import make_hard

        self.nursery, self.redis, self.chance = nursery, redis, chance
        self.quick = make_furniture()
        self.hard = make_hard(products=30, machines=6, periods=6)
        self.workers: list[Any] = []
        self.number = 0

    def keep_workers(self) -> None:
        """Start workers for those that have ended."""
        self.workers = [worker for worker in self.workers if worker.code is None]
        while len(self.workers) < WORKERS:
            self.workers.append(self.nursery.start("rqworker", "short", "long", **QUICK))

    def start(self, plant: Any, seconds: float) -> Any:
        """Return a new run. No two have the same options, so none is taken for another."""
        from planning.runs import RunOptions, start_run

        self.number += 1
        scenario = plant.scenarios.get(name="Baseline")
        return start_run(scenario, RunOptions(time_limit=seconds, gap=self.number * 1e-9))

    def any_worker(self) -> Any:
        return self.chance.choice(self.workers)

    def horses(self) -> list[int]:
        """Return the work-horses."""
        return [pid for worker in self.workers for pid in worker.children()]

    def solvers(self) -> list[int]:
        """Return the solver processes."""
        horses = set(self.horses())
        return [pid for pid, parent, _ in self.nursery.family() if parent in horses]


# --- deaths ---------------------------------------------------------------------------------


def kill(site: Site, found: list[int], number: signal.Signals = signal.SIGKILL) -> bool:
    """Send one of these processes a signal; return whether there was one."""
    if not found:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(site.chance.choice(found), number)
    return True


def some(find: Callable[[], list[int]]) -> list[int]:
    """Return processes of a kind as soon as there are some, none where none comes."""
    deadline = time.monotonic() + 3
    while not (found := find()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def worker_with_all_its_processes(site: Site) -> bool:
    site.any_worker().kill_tree()
    return True


def worker_alone(site: Site) -> bool:
    site.any_worker().signal(signal.SIGKILL)
    return True


def work_horse(site: Site) -> bool:
    return kill(site, some(site.horses))


def solver(site: Site) -> bool:
    return kill(site, some(site.solvers))


def service_told_to_end(site: Site) -> bool:
    worker = site.any_worker()
    members = {worker.pid}
    for pid, parent, _ in site.nursery.family():
        if parent in members:
            members.add(pid)
    for pid in members:
        kill(site, [pid], signal.SIGTERM)
    return True


def work_horse_suspended(site: Site) -> bool:
    horses = some(site.horses)[:1]
    if kill(site, horses, signal.SIGSTOP):
        time.sleep(SUSPENDED_SECONDS)
        kill(site, horses, signal.SIGCONT)
    return bool(horses)


def queue_emptied(site: Site) -> bool:
    client = site.redis.client()
    client.flushall()
    client.close()
    return True


def queue_restarted(site: Site) -> bool:
    site.redis.kill()
    time.sleep(site.chance.uniform(0, 2))
    site.redis.start()
    return True


def web_process(when: str) -> Callable[[Site], bool]:
    """Let a web process die before or after it sends a run to the queue."""

    def die(site: Site) -> bool:
        death = ("planning.runs.queue:send", when, 1, "kill")
        site.number += 1
        scenario = site.quick.scenarios.get(name="Baseline").pk
        process = site.nursery.start("benchmarks.deaths:press", scenario, site.number, deaths=[death], **QUICK)
        return bool(process.wait() == -signal.SIGKILL)

    return die


def press(scenario: str, number: str) -> None:
    """Start a run, as a web process does."""
    from planning.models import Scenario
    from planning.runs import RunOptions, start_run

    start_run(Scenario.objects.get(pk=scenario), RunOptions(time_limit=60, gap=int(number) * 1e-9))


def at_a_point(*point: Any) -> Callable[[Site], bool]:
    """Let the next work-horse of a new worker die at a named point of the code."""

    def die(site: Site) -> bool:
        worker = site.nursery.start("rqworker", "short", "long", deaths=[(*point, "kill")], **QUICK)
        site.workers.append(worker)
        deadline = time.monotonic() + 10
        while not worker.reached() and time.monotonic() < deadline:
            time.sleep(0.05)
        return bool(worker.reached())

    return die


DEATHS: dict[str, Callable[[Site], bool]] = {
    "worker with all its processes": worker_with_all_its_processes,
    "worker alone, its work-horse goes on": worker_alone,
    "work-horse": work_horse,
    "work-horse, halfway through the result rows": at_a_point("planning.runs.execute:write_rows", "after", 2),
    "work-horse, before the claim": at_a_point("planning.runs.execute:move", "before", 1),
    "work-horse suspended, and back too late": work_horse_suspended,
    "solver process": solver,
    "worker told to end, with all its processes": service_told_to_end,
    "Redis emptied": queue_emptied,
    "Redis killed and started anew": queue_restarted,
    "web process, between commit and sending": web_process("before"),
    "web process, between sending and saying so": web_process("after"),
}


# --- a round --------------------------------------------------------------------------------


def play(site: Site, death: Callable[[Site], bool], tally: Tally) -> None:
    """Start runs, let something die, wait, and check."""
    from planning.models import Run

    site.keep_workers()
    newest = Run.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    began = time.monotonic()
    for _ in range(HARD_RUNS):
        site.start(site.hard, site.chance.uniform(0.5, 2.0))
    site.start(site.quick, 60)
    time.sleep(site.chance.uniform(0, 1.5))
    tally.rounds += 1
    tally.missed += not death(site)
    runs = list(Run.objects.filter(pk__gt=newest))
    tally.untrue += wait(site, runs)
    tally.longest = max(tally.longest, time.monotonic() - began)
    count(runs, tally)
    again = site.start(site.quick, 60)
    tally.untrue += wait(site, [again]) + problems(again)
    if again.state != "solved":
        tally.untrue.append(f"run {again.pk}: a new run is {again.state}: {again.reason}")


def wait(site: Site, runs: list[Any]) -> list[str]:
    """Wait until the runs have ended; return which have not."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        site.keep_workers()
        for run in runs:
            run.refresh_from_db()
        if not any(run.is_open for run in runs):
            return []
        time.sleep(0.1)
    return [f"run {run.pk} is still {run.state} after {PATIENCE:.0f} s" for run in runs if run.is_open]


def count(runs: list[Any], tally: Tally) -> None:
    """Count how the runs ended, and what is untrue about them."""
    for run in runs:
        tally.runs += 1
        tally.first += run.attempt == 1
        tally.later += run.attempt > 1
        tally.failed += run.state == "failed"
        tally.untrue += problems(run)


def problems(run: Any) -> list[str]:
    """Return what is untrue about a run that has ended."""
    from tests.faults.truth import FURNITURE_ROWS, assert_whole, result_count, states

    found = []
    try:
        assert_whole(run)
    except AssertionError as error:
        found.append(f"run {run.pk} is not whole: {error}")
    story = states(run)
    if sum(move.split()[0] not in ("queued", "running", "stopping") for move in story) != 1:
        found.append(f"run {run.pk} did not end once: {story}")
    if run.state not in ("solved", "no_plan", "failed"):
        found.append(f"run {run.pk} is {run.state}, which nobody asked for: {run.reason}")
    if run.state == "failed" and "killed by" not in run.reason and "sign of life" not in run.reason:
        found.append(f"run {run.pk} failed for another reason: {run.reason}")
    if run.state == "solved" and run.plant.name == "Furniture Workshop" and result_count(run) != FURNITURE_ROWS:
        found.append(f"run {run.pk} has {result_count(run)} result rows")
    return found


# --- the whole ------------------------------------------------------------------------------


@contextlib.contextmanager
def prepared(database: str, chance: random.Random) -> Iterator[Site]:
    """Return a site with its own database and queue, gone at the end."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder / 'site.sqlite3'}"
        if database == "postgresql":
            from tests.private_postgresql import private_postgresql

            url = stack.enter_context(private_postgresql()).create("deaths")
        secret = {"SECRET_KEY": "only for this benchmark, and nothing else", "DEBUG": "1"}
        os.environ.update(DATABASE_URL=url, DJANGO_SETTINGS_MODULE="planner_site.settings", **secret)
        import logging

        import django

        django.setup()
        logging.getLogger("planning").setLevel(logging.CRITICAL)
        from django.core.management import call_command
        from django.db import connection

        from tests.faults.dying import use_queue
        from tests.faults.nursery import Nursery
        from tests.private_redis import PrivateRedis

        stack.callback(connection.close)
        call_command("migrate", verbosity=0)
        redis = PrivateRedis()
        redis.start()
        stack.callback(redis.kill)
        use_queue(redis.url)
        nursery = Nursery(folder, queue=redis.url)
        stack.callback(nursery.close)
        yield Site(nursery, redis, chance)


def main() -> int:
    """Play the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    given = parser.parse_args()
    chance = random.Random(given.seed)
    tallies: dict[str, Tally] = defaultdict(Tally)
    began = time.monotonic()
    with prepared(given.database, chance) as site:
        for number in range(given.rounds):
            name = chance.choice(list(DEATHS)) if number >= len(DEATHS) else list(DEATHS)[number]
            play(site, DEATHS[name], tallies[name])
            print(f"{number + 1}: {name}, {time.monotonic() - began:.0f} s", file=sys.stderr)
    show({name: tallies[name] for name in DEATHS if name in tallies}, time.monotonic() - began)
    return int(any(tally.untrue for tally in tallies.values()))


def show(tallies: dict[str, Tally], seconds: float) -> None:
    """Print what became of all runs."""
    print(
        "| what dies | rounds | runs | first attempt | later attempt | of these failed | until all ended, s | untrue |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for name, t in tallies.items():
        numbers = [t.rounds, t.runs, t.first, t.later, t.failed, f"{t.longest:.0f}", len(t.untrue)]
        print(f"| {name} | {' | '.join(map(str, numbers))} |")
    everything = tallies.values()
    print(
        f"\n{sum(t.rounds for t in everything)} rounds, {sum(t.runs for t in everything)} runs, {seconds:.0f} s; "
        f"in {sum(t.missed for t in everything)} rounds there was nothing left to kill."
    )
    for tally in everything:
        print(*tally.untrue, sep="\n", end="\n" * bool(tally.untrue))


if __name__ == "__main__":
    sys.exit(main())
