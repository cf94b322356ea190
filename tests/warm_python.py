"""Programs of ours that begin in a third of the time, because what they import of others is there already.

One process imports Django and other packages (tests/forking_python.py), nothing of ours and no settings, and forks for
each program, which reads its environment, our code and its settings as if Python were new. That they also start from
nothing is what tests/journey shows of the server and the worker, and the deployment check in tests/test_settings.py of
commands.
"""

import atexit
import json
import os
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


class Program:
    """A running program, to be used like subprocess.Popen."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = _asked({"ended": self.pid})
        return self.returncode

    def wait(self, timeout: float) -> int:
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(0.02)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def start(
    *command: str | Path, environment: dict[str, str], output: Path, errors: Path | None = None, folder: Path = ROOT
) -> Program:
    """Start what `python <command>` runs. What it writes is appended to the files; without `errors` all to one."""
    asked = {
        "command": [str(part) for part in command],
        "environment": environment,
        "folder": str(folder),
        "output": str(output),
        "errors": str(errors or output),
    }
    return Program(_asked(asked))


def run(
    *command: str | Path, environment: dict[str, str], folder: Path = ROOT, timeout: float = 600
) -> subprocess.CompletedProcess[str]:
    """Run what `python <command>` runs, to its end."""
    with TemporaryDirectory(prefix="igny8-program-") as written:
        output, errors = Path(written, "output"), Path(written, "errors")
        program = start(*command, environment=environment, output=output, errors=errors, folder=folder)
        try:
            code = program.wait(timeout)
        finally:
            program.kill()
        return subprocess.CompletedProcess(command, code, output.read_text(), errors.read_text())


@cache
def _forking() -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-I", HERE / "forking_python.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    atexit.register(_end, process)
    return process


def _asked(question: dict[str, Any]) -> Any:
    process = _forking()
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{json.dumps(question)}\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    assert answer, f"It has ended; this says why: {sys.executable} -I {HERE / 'forking_python.py'}"
    return json.loads(answer)


def _end(process: subprocess.Popen[str]) -> None:
    """Close its input, with which it ends."""
    process.communicate()
