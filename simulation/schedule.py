"""The schedule of igny8_core/celery.py, run by this process or by several forked ones at once, some of them killed."""

import os
import random
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests
from celery.schedules import crontab
from django.db import connection

from igny8_core.business.billing.gateways import stripe
from igny8_core.business.billing.services.dunning.calendar import country_days
from igny8_core.celery import app
from igny8_core.common import clock
from igny8_core.events.models import Event
from simulation.people import PLACES

# The simulation looks at the invariants itself and counts what it finds.
NOT_RUN = frozenset({"billing.check_invariants"})
OFTEN, SELDOM = 60.0, 3600.0
DELIVERS = "events.deliver_due"
MOST_STEPS = 600
A_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Task:
    """A scheduled task. `is_daily`: once a day is enough; `is_often`: within a minute it would run again."""

    name: str
    run: Callable[[], object]
    is_daily: bool
    is_often: bool


def tasks() -> list[Task]:
    """Every task of the schedule, so also one that is added to it later. Mails come last, when there is news."""
    app.loader.import_default_modules()
    found = []
    for entry in app.conf.beat_schedule.values():
        name, when = entry["task"], entry["schedule"]
        is_daily = isinstance(when, crontab) or float(when) >= SELDOM
        if name not in NOT_RUN:
            found.append(Task(name, app.tasks[name], is_daily, not is_daily and float(when) <= OFTEN))
    return sorted(found, key=lambda task: task.name == DELIVERS)


@dataclass
class Workers:
    """Runs what is due at a moment. With `schedulers` above 1 in so many forked processes at the same time.

    `kills`: about half of the forked ones are killed -9 before a statement or request that is picked at random.
    `failures`: file to which forked workers write what failed.
    """

    pick: random.Random
    failures: Path
    schedulers: int = 1
    kills: bool = False
    counted: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._tasks = tasks()
        if self.schedulers > 1:
            # What a worker loads once in its life, each forked child would otherwise load again.
            for country in {country for country, _ in PLACES}:
                country_days(country, clock.today().year)

    def work(self, *, is_first_of_day: bool = False, calmly: bool = False) -> None:
        """One round of everything; if something happened, a minute later another one of what runs often.

        `calmly`: in one process, which is not killed.
        """
        due = [task for task in self._tasks if is_first_of_day or not task.is_daily]
        if self.schedulers > 1 and not calmly:
            self._in_forks(due)
        else:
            self._run(due)

    def failed(self) -> list[str]:
        """What tasks raised, a line for each."""
        return self.failures.read_text(encoding="utf-8").splitlines() if self.failures.exists() else []

    def _run(self, due: list[Task]) -> None:
        begun, last = clock.now(), _last_event()
        for task in due:
            self._one(task)
        if _last_event() != last:
            clock.stand_at(begun + A_MINUTE)
            for task in due:
                if task.is_often:
                    self._one(task)
            clock.stand_at(begun)

    def _one(self, task: Task) -> None:
        try:
            task.run()
        except Exception as error:  # noqa: BLE001 - as a worker, which logs it and takes the next task
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{where.filename}:{where.lineno}"
            line = f"{clock.now():%Y-%m-%d %H:%M} {task.name}: {type(error).__name__}: {error} ({place})"
            with self.failures.open("a", encoding="utf-8") as file:
                file.write(" ".join(line.split()) + "\n")

    def _in_forks(self, due: list[Task]) -> None:
        children = []
        for _ in range(self.schedulers):
            mine = self.pick.sample(due, len(due))
            # Early steps are killed as often as late ones: the number is picked by its size.
            fatal = int(MOST_STEPS ** self.pick.random()) if self.kills and self.pick.random() < 0.5 else None
            sys.stdout.flush()
            child = os.fork()
            if child == 0:
                self._as_child(mine, fatal)
            children.append(child)
        self.counted["workers"] += len(children)
        for child in children:
            _, status = os.waitpid(child, 0)
            if os.WIFSIGNALED(status):
                self.counted[f"workers ended by signal {os.WTERMSIG(status)}"] += 1
            elif os.WEXITSTATUS(status):
                self.counted["workers that failed"] += 1

    def _as_child(self, due: list[Task], fatal: int | None) -> None:
        code = 1
        try:
            # The parent's socket to the database is not ours; kept, so that nobody says goodbye on it.
            inherited = connection.connection
            connection.connection = None
            # Nor are its sockets to the gateway.
            stripe.make.cache_clear()
            steps = Steps(fatal)
            steps.around_requests()
            with connection.execute_wrapper(steps.around_sql):
                self._run(due)
            code = 0 if inherited is None or inherited is not connection.connection else 1
        finally:
            os._exit(code)


def _last_event() -> int:
    newest = Event.objects.order_by("-pk").values_list("pk", flat=True).first()
    return newest or 0


class Steps:
    """Counts SQL statements, and requests before and after; kills its process before step `fatal` (None: never)."""

    def __init__(self, fatal: int | None) -> None:
        self._fatal = fatal
        self._taken = 0

    def around_sql(self, execute: Callable[..., Any], *statement: Any) -> Any:
        """A wrapper of the database connection."""
        self._take()
        return execute(*statement)

    def around_requests(self) -> None:
        """Count each request twice: before it goes out, and when its answer has come."""
        send = requests.Session.send

        def counted(session: requests.Session, *args: Any, **kwargs: Any) -> Any:
            self._take()
            answer = send(session, *args, **kwargs)
            self._take()
            return answer

        requests.Session.send = counted  # type: ignore[method-assign, assignment]

    def _take(self) -> None:
        if self._taken == self._fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        self._taken += 1
