"""The processes that a command keeps running. Each kind runs at most once per folder.

Each process inherits a lock on its pid file. The lock is held as long as the process or one of its children lives. If
the launcher is killed, the next launcher sees the lock, so it knows that the pid is ours, and stops the process.
"""

import fcntl
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import progress
from paths import VAR, shown

POLL = 0.05  # seconds
AFTER_KILL = 10  # seconds; how long killed processes and PostgreSQL's child processes may take to end


class OnlyOne:
    """A lock for this folder that only one command at a time can hold."""

    def __init__(self, name: str) -> None:
        self.path = VAR / "run" / f"{name}.lock"
        self._file: IO[str] | None = None

    def take(self, sentence: str) -> None:
        """Take the lock until `release` or the end of this process. Raises progress.Stop(sentence) if it is taken."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("a")
        if not _locked_now(file):
            file.close()
            raise progress.Stop(sentence)
        self._file = file

    def release(self) -> None:
        """Release the lock."""
        if self._file:
            self._file.close()
            self._file = None


class Service:
    """A long-running process with a log, a pid file and a way to stop it."""

    def __init__(self, name: str, log: Path, *, stop_signal: signal.Signals = signal.SIGTERM, patience: float) -> None:
        """`patience` is the time in seconds to shut down. After that the process is killed."""
        self.name = name
        self.log = log
        self.stop_signal = stop_signal
        self.patience = patience
        self.pid_file = VAR / "run" / f"{name.replace(' ', '-')}.pid"
        self.process: subprocess.Popen[bytes] | None = None

    def start(
        self, command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path, user: pwd.struct_passwd | None = None
    ) -> None:
        """Start the process in its own session, so that Ctrl-C in the terminal does not reach it."""
        self.stop_leftover()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists():
            self.log.replace(self.log.with_name(f"{self.log.name}.1"))
        with self.pid_file.open("w") as lock, self.log.open("wb") as log:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(env),
                cwd=cwd,
                start_new_session=True,
                pass_fds=[lock.fileno()],
                user=user.pw_uid if user else None,
                group=user.pw_gid if user else None,
                extra_groups=[] if user else None,
            )
            lock.write(str(self.process.pid))

    def fail_if_ended(self) -> None:
        """Raise progress.Stop with the end of the log if the process has ended."""
        if self.process and self.process.poll() is not None:
            text = self.log.read_text(errors="replace")
            reason = f"The {self.name} ended by itself (code {self.process.returncode})."
            raise progress.Stop(f"{reason} The end of {shown(self.log)}:\n{progress.tail(text)}")

    def stop(self) -> None:
        """Stop the process and everything that it started. Send the stop signal first, then kill."""
        if self.process:
            self._stop(self.process.pid)
            self.process.wait()
            self.process = None

    def stop_leftover(self) -> None:
        """Stop a process that a killed launcher left running."""
        self.pid_file.parent.mkdir(parents=True, exist_ok=True)
        if self._is_free():
            return
        pid = self.pid_file.read_text().strip()
        if not pid.isdigit() or not self._stop(int(pid)):
            raise progress.Stop(
                f"An earlier {self.name} is still running (process {pid or 'unknown'}). Stop it, then start again."
            )

    def _stop(self, pid: int) -> bool:
        if self._is_free():
            return True
        # If the signal fails, the process has already ended, but its children may still run. They are killed.
        if _sent(os.kill, pid, self.stop_signal) and self._is_free(within=self.patience):
            return True
        _sent(os.killpg, pid, signal.SIGKILL)
        return self._is_free(within=AFTER_KILL)

    def _is_free(self, *, within: float = 0) -> bool:
        deadline = time.monotonic() + within
        with self.pid_file.open("a") as lock:
            while not _locked_now(lock):
                if time.monotonic() >= deadline:
                    return False
                time.sleep(POLL)
        return True


def _locked_now(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sent(send: Callable[[int, int], None], pid: int, number: signal.Signals) -> bool:
    try:
        send(pid, number)
    except ProcessLookupError:
        return False
    return True
