"""Output on the terminal: one line for each step with its time, and the reason if a step failed."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

SPARSE = 10  # seconds between two lines of a long step if the output is a pipe
LOOK = 0.3  # seconds between two reads of a command's output


class Stop(Exception):
    """The command cannot continue. The message says what is wrong and what to do."""


class Interrupted(BaseException):
    """Ctrl-C or a signal asks everything to stop. That is not an error, so the class is not an Exception."""

    def __init__(self, number: int) -> None:
        self.number = number


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise Interrupted(number)


def stop_on_signals() -> None:
    """Let Ctrl-C, SIGTERM and a closed terminal end the program through its `finally` blocks."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup asked to ignore it
            signal.signal(number, _interrupt)


def ignore_signals() -> None:
    """Ignore further signals during the shutdown. Each part of the shutdown has a time limit."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def say(text: str = "") -> None:
    """Show a line at once, even if the output is a pipe."""
    with contextlib.suppress(BrokenPipeError, OSError):
        print(text, flush=True)


def complain(text: str) -> None:
    """Show on standard error why the command stops."""
    with contextlib.suppress(BrokenPipeError, OSError):
        print(f"\n{text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def step(title: str) -> Iterator[None]:
    """Show a step while it runs, and how many seconds it took."""
    begun = time.monotonic()
    say_part(f"  {title} … ")
    try:
        yield
    except BaseException as problem:
        say("stopped" if isinstance(problem, Interrupted) else "failed")
        raise
    say(f"{time.monotonic() - begun:.1f} s")


@contextlib.contextmanager
def long_step(title: str) -> Iterator[Callable[[str], None]]:
    """A step that shows progress. It yields a function; call it with a few words as often as you like.

    A terminal shows one line that changes. A pipe gets a new line every ten seconds.
    """
    begun = time.monotonic()
    on_terminal = sys.stdout.isatty()
    again = "\r\x1b[K" if on_terminal else ""
    due = begun + SPARSE

    def show(state: str) -> None:
        nonlocal due
        if on_terminal:
            width = shutil.get_terminal_size().columns - 1
            say_part(again + f"  {title} … {state}, {time.monotonic() - begun:.0f} s"[:width])
        elif time.monotonic() >= due:
            due += SPARSE
            say(f"    {state}, {time.monotonic() - begun:.0f} s")

    say_part(f"  {title} …{' ' if on_terminal else chr(10)}")
    try:
        yield show
    except BaseException as problem:
        say(f"{again}  {title}: {'stopped' if isinstance(problem, Interrupted) else 'failed'}")
        raise
    say(f"{again}  {title}: {time.monotonic() - begun:.1f} s")


def say_part(text: str) -> None:
    """Show text without ending the line."""
    with contextlib.suppress(BrokenPipeError, OSError):
        print(text, end="", flush=True)


def tail(text: str, lines: int = 25) -> str:
    """The last lines of an output, indented."""
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
    Raises Stop if the command cannot be started or its exit code is not 0.
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
        raise _failure(arguments, done.returncode, done.stdout, advice)
    return done.stdout


def run_watched(
    commands: Sequence[Sequence[str | Path]], *, advice: str, cwd: Path, watch: Callable[[list[str]], None]
) -> None:
    """Run commands side by side, and call `watch` from time to time with all that each has printed so far.

    `advice` is the sentence shown below the output when a command fails.
    Raises Stop if a command cannot be started or its exit code is not 0; the others are ended then.
    """
    with contextlib.ExitStack() as running:
        started = [running.enter_context(_started(command, advice, cwd)) for command in commands]
        while any(process.poll() is None for process, _ in started):
            watch([printed.read_text(errors="replace") for _, printed in started])
            _require_no_failure(started, advice)
            time.sleep(LOOK)
        _require_no_failure(started, advice)


@contextlib.contextmanager
def _started(command: Sequence[str | Path], advice: str, cwd: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """The process of the command and the file with what it prints; it ends with the block."""
    arguments = [str(part) for part in command]
    with tempfile.NamedTemporaryFile(prefix="igny8-") as output:
        try:
            process = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=cwd
            )
        except OSError as problem:
            raise Stop(f"{arguments[0]} could not be started: {problem}\n{advice}") from problem
        try:
            yield process, Path(output.name)
        finally:
            process.kill()
            process.wait()


def _require_no_failure(started: list[tuple[subprocess.Popen[bytes], Path]], advice: str) -> None:
    for process, printed in started:
        if process.poll():
            arguments = [str(part) for part in process.args]  # type: ignore[union-attr]
            raise _failure(arguments, process.returncode, printed.read_text(errors="replace"), advice)


def _failure(arguments: list[str], code: int, printed: str, advice: str) -> Stop:
    return Stop(f"{tail(printed)}\n\n{' '.join(arguments)}\nended with code {code}. {advice}")
