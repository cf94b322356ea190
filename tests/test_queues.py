"""Money, mails and housekeeping wait in queues of their own; a worker that is told nothing works on all (FLT-11)."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from igny8_core.celery import app

ROOT = Path(__file__).resolve().parent.parent
EXPECTED = {
    "events.send_mails": "mail",
    "auth.forget_old_rows": "housekeeping",
    "billing.check_invariants": "housekeeping",
    "billing.delete_old_webhooks": "housekeeping",
    "billing.delete_unused_proofs": "housekeeping",
    "billing.reconcile_gateways": "housekeeping",
    "billing.sum_up_usage": "housekeeping",
}


def scheduled() -> list[str]:
    return sorted({entry["task"] for entry in app.conf.beat_schedule.values()})


def queue_of(task: str) -> str:
    return str(app.amqp.router.route({}, task)["queue"].name)


@pytest.mark.parametrize("task", scheduled())
def test_each_task_of_the_schedule_has_its_queue(task: str) -> None:
    assert queue_of(task) == EXPECTED.get(task, "money")


def test_no_task_is_routed_that_is_not_there() -> None:
    assert set(EXPECTED) <= set(scheduled())


def test_a_worker_that_is_told_nothing_takes_all_queues() -> None:
    assert {queue.name for queue in app.conf.task_queues} == {"money", "mail", "housekeeping"}


def test_every_queue_has_its_worker_among_the_containers() -> None:
    services: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.app.yml").read_text(encoding="utf-8"))["services"]
    taken = {
        name: service["command"].partition("--queues ")[2].split()[0]
        for name, service in services.items()
        if "--queues" in str(service.get("command", ""))
    }

    assert taken == {"worker": "money", "worker_mail": "mail", "worker_housekeeping": "housekeeping"}


def test_in_one_process_a_silent_mail_server_leaves_threads_to_money() -> None:
    """bin/run: mails hold one thread at most (tests/events/test_mail_server.py), and there are more."""
    launcher = (ROOT / "bin" / "development_server.py").read_text(encoding="utf-8")

    assert '"-P", "threads", "-c", "4"' in launcher
    assert "--queues" not in launcher
