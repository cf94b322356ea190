"""The real worker with its schedule, as a process of its own, on both brokers."""

import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from igny8_core.events.models import Delivery
from tests import make, warm_python
from tests.database import process_environment

PATIENCE = 180  # seconds; the worker needs most of it to start on a busy machine
REDIS = ("127.0.0.1", 6379)


def redis_answers() -> bool:
    try:
        with socket.create_connection(REDIS, timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


BROKERS = [
    pytest.param({}, id="PostgreSQL"),
    pytest.param(
        {"REDIS_URL": f"redis://{REDIS[0]}:{REDIS[1]}/15"},
        id="Redis",
        marks=[pytest.mark.stress, pytest.mark.skipif(not redis_answers(), reason="no Redis on 127.0.0.1:6379")],
    ),
]


def wait_until(is_so: Callable[[], bool], worker: warm_python.Program) -> bool:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and worker.poll() is None:
        if is_so():
            return True
        time.sleep(0.2)
    return False


def is_json(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("broker", BROKERS)
def test_worker_mails_the_operators_about_a_submitted_payment(broker: dict[str, str], tmp_path: Path) -> None:
    make.operator(email="olga@example.com")
    mails, log = tmp_path / "mails", tmp_path / "worker.log"
    environment = process_environment(EMAIL_URL=f"file://{mails}", IGNY8_VAR=str(tmp_path), **broker)
    command = ["-m", "celery", "-A", "igny8_core", "worker", "-P", "threads", "-c", "2", "-B"]
    worker = warm_python.start(*command, "-s", tmp_path / "schedule", environment=environment, output=log)
    try:
        payment = make.submitted_payment(reference="BT-20251208-12345")
        submitted = Delivery.objects.filter(event__type="payment.submitted", event__object_id=str(payment.pk))
        delivered = wait_until(lambda: submitted.filter(status="done").exists(), worker)
    finally:
        worker.send_signal(signal.SIGTERM)
        try:
            worker.wait(120)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait(30)

    assert [line for line in log.read_text().splitlines() if not is_json(line)] == []
    assert delivered, log.read_text()[-3000:]
    written = "".join(mail.read_text() for mail in mails.iterdir())
    assert "To: olga@example.com" in written
    assert "BT-20251208-12345" in written
