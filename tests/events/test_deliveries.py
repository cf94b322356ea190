"""The outbox: every event reaches its consumers at least once, and never two workers at the same time."""

import signal
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection, transaction
from django.utils import timezone

from igny8_core.auth.models import Account
from igny8_core.business.billing.models import Payment
from igny8_core.common.errors import TransitionNotAllowed
from igny8_core.events import consumers, deliveries, registry
from igny8_core.events.models import Delivery, DeliveryStatus, Event
from igny8_core.events.services import NewEvent, record
from tests import make, warm_python
from tests.database import process_environment
from tests.events.threads import in_threads

Handle = Callable[[Event], None]


@pytest.fixture
def consume() -> Iterator[Callable[[Handle], None]]:
    """Register a consumer of the event type "test.happened"; it is gone after the test."""
    registry.register("igny8_auth.account", {"test.happened": "It happened."})
    yield lambda handle: consumers.register("test", ["test.happened"], handle)
    consumers._consumers.pop("test", None)
    registry._types.pop("test.happened")


def happen(account: Account, times: int = 1) -> None:
    with transaction.atomic():
        record(*[NewEvent("test.happened", account, account.pk) for _ in range(times)])


def due_again() -> None:
    """Let the time of all waiting deliveries come."""
    Delivery.objects.filter(status=DeliveryStatus.WAITING).update(next_attempt_at=timezone.now() - timedelta(seconds=1))


def email_delivery(event_type: str) -> Delivery:
    return Delivery.objects.get(consumer="email", event__type=event_type)


# --- From a change to the mail that tells of it --------------------------------------------------------------------


def test_submitted_payment_is_mailed_to_the_operators_and_marked_done(olga: object) -> None:
    payment = make.submitted_payment()
    assert mail.outbox == []

    tried = deliveries.deliver_due()

    assert tried == 2
    told = [sent for sent in mail.outbox if sent.subject.startswith("Payment to review")]
    assert [sent.to for sent in told] == [["olga@example.com"]]
    assert f"/payment/{payment.pk}/" in told[0].body
    delivery = email_delivery("payment.submitted")
    assert (delivery.status, delivery.attempts, delivery.next_attempt_at) == (DeliveryStatus.DONE, 1, None)


def test_done_delivery_is_not_delivered_again(olga: object) -> None:
    make.submitted_payment()
    deliveries.deliver_due()
    mail.outbox.clear()

    assert deliveries.deliver_due() == 0
    assert mail.outbox == []


@pytest.mark.django_db
def test_change_that_is_rolled_back_is_not_told() -> None:
    account = make.owner().account
    with transaction.atomic():
        make.submitted_payment(make.invoice(account))
        transaction.set_rollback(True)

    assert deliveries.deliver_due() == 0
    assert mail.outbox == []
    assert not Delivery.objects.exists()
    assert not Payment.objects.exists()


@pytest.mark.django_db
def test_a_delivery_that_fails_waits_with_back_off_says_why_and_is_given_up(consume: Callable[[Handle], None]) -> None:
    def fail(event: Event) -> None:
        raise ValueError("broken")

    consume(fail)
    happen(make.account())
    before = timezone.now()

    for attempt, pause in enumerate(deliveries.BACK_OFF, start=1):
        deliveries.deliver_due()

        delivery = Delivery.objects.get()
        assert (delivery.status, delivery.attempts) == (DeliveryStatus.WAITING, attempt)
        assert delivery.last_error == "ValueError: broken"
        assert delivery.next_attempt_at is not None
        assert before + pause <= delivery.next_attempt_at <= timezone.now() + pause
        assert deliveries.deliver_due() == 0
        due_again()
    deliveries.deliver_due()

    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts, delivery.next_attempt_at) == (DeliveryStatus.DEAD, 8, None)
    assert deliveries.deliver_due() == 0

    deliveries.retry(delivery)
    consume(lambda event: None)
    assert deliveries.deliver_due() == 1
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts, delivery.last_error) == (DeliveryStatus.DONE, 1, "")


@pytest.mark.django_db
def test_one_poisoned_event_does_not_hold_up_the_others(consume: Callable[[Handle], None]) -> None:
    account = make.owner().account
    assert account
    seen: list[int] = []

    def handle(event: Event) -> None:
        if event.pk == poisoned:
            raise ValueError("x" * 1000)
        seen.append(event.pk)

    consume(handle)
    happen(account, times=5)
    poisoned, *rest = Event.objects.filter(type="test.happened").order_by("pk").values_list("pk", flat=True)

    deliveries.deliver_due()

    assert seen == rest
    failed = Delivery.objects.get(status=DeliveryStatus.WAITING)
    assert failed.event_id == poisoned
    assert failed.last_error.startswith("ValueError: xxx")
    assert len(failed.last_error) == 500


@pytest.mark.django_db
def test_only_a_delivery_that_was_given_up_can_be_retried(consume: Callable[[Handle], None]) -> None:
    consume(lambda event: None)
    happen(make.account())
    waiting = Delivery.objects.get()

    with pytest.raises(TransitionNotAllowed):
        deliveries.retry(waiting)
    deliveries.deliver_due()
    done = Delivery.objects.get()
    with pytest.raises(TransitionNotAllowed):
        deliveries.retry(done)

    assert Delivery.objects.get().status == DeliveryStatus.DONE


@pytest.mark.django_db
def test_limit_leaves_the_rest_for_the_next_run(consume: Callable[[Handle], None]) -> None:
    seen: list[int] = []
    consume(lambda event: seen.append(event.pk))
    happen(make.account(), times=5)

    assert deliveries.deliver_due(limit=2) == 2
    assert len(seen) == 2
    assert deliveries.deliver_due() == 3
    assert seen == sorted(seen)
    assert len(set(seen)) == 5


@pytest.mark.django_db(transaction=True)
def test_consumer_is_called_outside_any_transaction(consume: Callable[[Handle], None]) -> None:
    in_transaction: list[bool] = []
    consume(lambda event: in_transaction.append(connection.in_atomic_block))
    happen(make.account())

    deliveries.deliver_due()

    assert in_transaction == [False]


# --- Workers that race and workers that die ------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_workers_that_run_at_once_deliver_each_event_once(consume: Callable[[Handle], None]) -> None:
    seen: list[tuple[int, int]] = []
    consume(lambda event: seen.append((event.pk, threading.get_ident())))
    happen(make.account(), times=60)

    def work() -> None:
        for _ in range(20):
            deliveries.deliver_due()

    in_threads(4, work)

    delivered = [event for event, _ in seen]
    assert sorted(delivered) == sorted(set(delivered))
    assert len(delivered) == 60
    assert len({thread for _, thread in seen}) > 1
    assert set(Delivery.objects.values_list("status", "attempts")) == {(DeliveryStatus.DONE, 1)}


@pytest.mark.django_db(transaction=True)
def test_delivery_under_way_is_left_alone_by_other_workers(consume: Callable[[Handle], None]) -> None:
    tried_by_others: list[int] = []

    def rival() -> None:
        tried_by_others.append(deliveries.deliver_due())

    consume(lambda event: in_threads(2, rival))
    happen(make.account())

    assert deliveries.deliver_due() == 1

    assert tried_by_others == [0, 0]
    assert Delivery.objects.get().attempts == 1


@pytest.mark.django_db
def test_delivery_of_a_worker_that_died_is_tried_again_when_its_lease_is_over(
    consume: Callable[[Handle], None],
) -> None:
    class Killed(BaseException):
        """Not an Exception, as a signal's SystemExit is not: nothing after it is noted."""

    def die(event: Event) -> None:
        raise Killed

    consume(die)
    happen(make.account())
    with pytest.raises(Killed):
        deliveries.deliver_due()
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.WAITING, 1)
    assert delivery.next_attempt_at is not None
    assert timezone.now() < delivery.next_attempt_at <= timezone.now() + deliveries.LEASE

    seen: list[int] = []
    consume(lambda event: seen.append(event.pk))
    assert deliveries.deliver_due() == 0
    assert seen == []
    due_again()
    assert deliveries.deliver_due() == 1

    assert seen == [delivery.event_id]
    assert Delivery.objects.get().attempts == 2


@pytest.mark.django_db
def test_a_delivery_that_kills_every_worker_is_given_up(
    consume: Callable[[Handle], None], caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[int] = []
    consume(lambda event: seen.append(event.pk))
    happen(make.account())
    for _ in range(len(deliveries.BACK_OFF) + 1):
        assert deliveries.QUEUE.take() is not None
        due_again()

    assert deliveries.deliver_due() == 1

    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.last_error, seen) == (DeliveryStatus.DEAD, "No attempt finished.", [])
    assert [record.levelname for record in caplog.records if record.getMessage() == "delivery given up"] == ["ERROR"]
    deliveries.retry(delivery)
    assert deliveries.deliver_due() == 1
    assert seen == [delivery.event_id]


# A worker whose consumer ends the process as the kernel does when memory is short. The parent starts it anew each time.
KILLED_AT_WORK = """
import os, signal
import django
django.setup()
from django.db import connections
from igny8_core.common import clock
from igny8_core.events import consumers, deliveries, registry
from igny8_core.events.models import Delivery

registry.register("igny8_auth.account", {"test.happened": "It happened."})
consumers.register("test", ["test.happened"], lambda event: os.kill(os.getpid(), signal.SIGKILL))
waiting, ends = Delivery.objects.filter(status="waiting"), []
while waiting.exists() and len(ends) < 20:
    waiting.update(next_attempt_at=clock.now())
    connections.close_all()
    worker = os.fork()
    if not worker:
        deliveries.deliver_due()
        os._exit(0)
    ends.append(os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]))
print(*ends)
"""


@pytest.mark.stress
@pytest.mark.django_db(transaction=True)
def test_a_delivery_whose_process_is_killed_each_time_is_given_up(consume: Callable[[Handle], None]) -> None:
    consume(lambda event: None)
    happen(make.account())

    environment = process_environment(DJANGO_SETTINGS_MODULE="igny8_core.settings")
    done = warm_python.run("-c", KILLED_AT_WORK, environment=environment)

    # As often as one that fails; the worker that gives it up lives.
    kills = [str(-signal.SIGKILL)] * (len(deliveries.BACK_OFF) + 1)
    assert done.stdout.split() == [*kills, "0"], done.stderr
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.last_error) == (DeliveryStatus.DEAD, "No attempt finished.")
    assert '"delivery given up"' in done.stderr


@pytest.mark.django_db
def test_late_failure_of_a_slow_worker_does_not_shorten_the_lease_of_the_next(
    consume: Callable[[Handle], None],
) -> None:
    def overtaken(event: Event) -> None:
        due_again()
        assert deliveries.QUEUE.take() is not None
        raise TimeoutError("too slow")

    consume(overtaken)
    happen(make.account())
    before = timezone.now()

    deliveries.deliver_due()

    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts, delivery.last_error) == (DeliveryStatus.WAITING, 2, "")
    assert delivery.next_attempt_at is not None
    assert delivery.next_attempt_at >= before + deliveries.LEASE


@pytest.mark.django_db
def test_late_failure_of_a_slow_worker_does_not_undo_what_another_delivered(consume: Callable[[Handle], None]) -> None:
    def overtaken(event: Event) -> None:
        Delivery.objects.filter(event=event).update(status=DeliveryStatus.DONE, next_attempt_at=None)
        raise TimeoutError("too slow")

    consume(overtaken)
    happen(make.account())

    deliveries.deliver_due()

    assert Delivery.objects.get().status == DeliveryStatus.DONE
