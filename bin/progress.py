"""What the person at the terminal sees: one line a step with the time it took, and why a step failed."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType


class Stop(Exception):
    """The command cannot go on; the message says what is wrong and what to do next."""


class Interrupted(BaseException):
    """Ctrl-C or SIGTERM: the person wants everything stopped. Not an error, so not an Exception."""

    def __init__(self, number: int) -> None:
        self.number = number


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise Interrupted(number)


def stop_on_signals() -> None:
    """Make Ctrl-C, SIGTERM and a closed terminal unwind the program through its `finally` blocks."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup asked to ignore it
            signal.signal(number, _interrupt)


def ignore_signals() -> None:
    """Let the shutdown finish however often Ctrl-C is pressed; each part of it has a time limit."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def say(text: str = "") -> None:
    """Show a line at once, also when the output is a pipe."""
    with contextlib.suppress(BrokenPipeError, OSError):
        print(text, flush=True)


def complain(text: str) -> None:
    """Show why the command stops, on standard error."""
    with contextlib.suppress(BrokenPipeError, OSError):
        print(f"\n{text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def step(title: str) -> Iterator[None]:
    """Show what is being done while it runs, and how many seconds it took."""
    begun = time.monotonic()
    say_part(f"  {title} … ")
    try:
        yield
    except BaseException as problem:
        say("stopped" if isinstance(problem, Interrupted) else "failed")
        raise
    say(f"{time.monotonic() - begun:.1f} s")


def say_part(text: str) -> None:
    """Show the beginning of a line."""
    with contextlib.suppress(BrokenPipeError, OSError):
        print(text, end="", flush=True)


def tail(text: str, lines: int = 25) -> str:
    """The last lines of an output, indented below the sentence that explains it."""
    return "\n".join(f"    {line}" for line in text.rstrip().splitlines()[-lines:])


def run_quietly(
    command: Sequence[str | Path],
    *,
    advice: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user: int | None = None,
    group: int | None = None,
) -> str:
    """Run a command and return what it printed.

    `advice` is the sentence shown below the output when the command fails.
    Raises Stop when it cannot be started or exits non-zero.
    """
    arguments = [str(part) for part in command]
    groups: list[int] | None = None if user is None else []
    try:
        done = subprocess.run(
            arguments,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=dict(os.environ if env is None else env),
            cwd=cwd,
            user=user,
            group=group,
            extra_groups=groups,
        )
    except OSError as problem:
        raise Stop(f"{arguments[0]} could not be started: {problem}\n{advice}") from problem
    if done.returncode != 0:
        raise Stop(f"{tail(done.stdout)}\n\n{' '.join(arguments)}\nended with code {done.returncode}. {advice}")
    return done.stdout
