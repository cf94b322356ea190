"""A process of its own that is killed, without any warning, just before one of its steps."""

import os
import signal
from collections.abc import Callable
from typing import Any

import requests
from django.db import connection


class Steps:
    """Counts SQL statements, and requests to the gateway before and after; kills its process before step `fatal`."""

    def __init__(self, fatal: int) -> None:
        self.fatal = fatal
        self.taken = 0

    def take(self) -> None:
        """One more step."""
        if self.taken == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        self.taken += 1

    def around_sql(self, execute: Callable[..., Any], *statement: Any) -> Any:
        """A wrapper of the database connection."""
        self.take()
        return execute(*statement)

    def around_requests(self) -> None:
        """Let each request to the gateway count twice: before it goes out and when its answer has come."""
        send = requests.Session.send

        def counted(session: requests.Session, *args: Any, **kwargs: Any) -> Any:
            self.take()
            answer = send(session, *args, **kwargs)
            self.take()
            return answer

        requests.Session.send = counted  # type: ignore[method-assign]


def killed_before(step: int, work: Callable[[], object]) -> bool:
    """Do the work in a forked process that dies before its step number `step`; whether it came so far."""
    process = os.fork()
    if process == 0:
        _work(step, work)
    _, status = os.waitpid(process, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "the work itself failed"
    return False


def _work(step: int, work: Callable[[], object]) -> None:
    # The parent's socket to the database is not ours; kept, so that nobody says goodbye on it.
    inherited = connection.connection
    connection.connection = None
    steps = Steps(step)
    steps.around_requests()
    with connection.execute_wrapper(steps.around_sql):
        work()
    os._exit(0 if inherited is not connection.connection else 1)
