"""Processes of a launcher that was killed, that die, or that do not want to stop."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from processes import OnlyOne, Service
from progress import Stop

# Seconds. What is waited for takes tenths of one; whoever would have to wait in vain, waits far longer.
PATIENCE = 60
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(900)
"""


def service(var: Path, *, patience: float = PATIENCE) -> Service:
    return Service("web server", var / "log" / "web.log", patience=patience)


def run(process: Service, code: str) -> int:
    process.start([sys.executable, "-c", code], env=os.environ, cwd=Path("/"))
    assert process.process
    return process.process.pid


def wait_for_log(process: Service, text: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while text not in process.log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ended(process: subprocess.Popen[bytes]) -> bool:
    return process.wait(timeout=PATIENCE) is not None


def test_what_a_killed_launcher_left_running_is_stopped_by_the_next_one(var: Path) -> None:
    killed_launchers = service(var)
    run(killed_launchers, "import time; time.sleep(900)")
    assert killed_launchers.process

    service(var).stop_leftover()

    assert ended(killed_launchers.process)


def test_a_number_in_an_old_pid_file_is_never_killed(var: Path) -> None:
    """The system gives the number of a dead process to another program."""
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(900)"])
    ours = service(var)
    ours.pid_file.parent.mkdir(parents=True)
    ours.pid_file.write_text(str(bystander.pid))

    ours.stop_leftover()

    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_a_process_that_ignores_the_request_is_killed_with_its_children(var: Path) -> None:
    ours = service(var, patience=0.2)
    child = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]); time.sleep(900)"
    run(ours, child)
    wait_for_log(ours, "up")

    begun = time.monotonic()
    ours.stop()

    assert time.monotonic() - begun < PATIENCE
    assert ours._is_free()


def test_children_of_a_killed_process_do_not_delay_the_end(var: Path) -> None:
    ours = service(var, patience=600)
    pid = run(ours, f"import subprocess, sys; subprocess.run([sys.executable, '-c', {STUBBORN!r}])")
    wait_for_log(ours, "up")
    os.kill(pid, signal.SIGKILL)
    assert ours.process
    ours.process.wait(timeout=PATIENCE)

    begun = time.monotonic()
    ours.stop()

    assert time.monotonic() - begun < PATIENCE
    assert ours._is_free()


def test_a_process_that_ends_by_itself_is_reported_with_the_end_of_its_log(var: Path) -> None:
    ours = service(var)
    run(ours, "print('the disk is full'); raise SystemExit(3)")
    assert ours.process
    ours.process.wait(timeout=PATIENCE)

    with pytest.raises(Stop, match=r"web server ended by itself \(code 3\)(.|\n)*the disk is full"):
        ours.fail_if_ended()

    ours.stop()


def test_the_log_of_the_run_before_is_kept(var: Path) -> None:
    ours = service(var)
    for text in ("first", "second"):
        run(ours, f"print({text!r})")
        assert ours.process
        ours.process.wait(timeout=PATIENCE)
        ours.stop()

    assert ours.log.read_text() == "second\n"
    assert ours.log.with_name("web.log.1").read_text() == "first\n"


def test_a_second_command_in_the_same_folder_is_refused(var: Path) -> None:
    first, second = OnlyOne("run"), OnlyOne("run")
    first.take("unexpected")

    with pytest.raises(Stop, match="already running"):
        second.take("bin/run is already running")

    first.release()
    second.take("unexpected")
    second.release()


def test_the_process_hears_no_ctrl_c_of_the_terminal(var: Path) -> None:
    ours = service(var)
    pid = run(ours, "import time; time.sleep(900)")

    assert os.getpgid(pid) == pid != os.getpgrp()

    ours.stop()
    assert ours.stop_signal == signal.SIGTERM
