"""What becomes of stored messages: done once, tried again, given up, replayed (WHK-13, 14, 16)."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import User
from igny8_core.business.billing.gateways.stripe import HANDLERS
from igny8_core.business.billing.models import WebhookEvent
from igny8_core.business.billing.services.webhook_inbox import inbox
from igny8_core.business.billing.services.webhook_inbox.inbox import (
    BACK_OFF,
    MOST_TRIES,
    process_due_messages,
    replay_message,
)
from igny8_core.business.billing.tasks import delete_old_webhooks
from igny8_core.common.work_queue import WorkQueue
from igny8_core.events.models import Event
from tests.rows import now
from tests.webhooks.cast import (
    about,
    books,
    due_again,
    events_of,
    paid_by_card,
    states,
    succeeded,
    tell_stripe,
)

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """kill -9: nothing is caught, nothing is tidied up."""


# --- What fails -----------------------------------------------------------------------------------------------------


def test_a_payment_that_is_not_here_yet_is_waited_for_and_then_given_up(
    stripe: FakeStripe, caplog: pytest.LogCaptureFixture
) -> None:
    intent = stripe.create_payment_intent({"amount": 8900, "currency": "usd", "metadata": {"payment_id": str(uuid4())}})
    event = about(stripe, intent["id"])
    for attempt, pause in enumerate(BACK_OFF, start=1):
        before = timezone.now()

        assert process_due_messages() == 1

        waits = now(event)
        assert (waits.state, waits.attempts) == ("waiting", attempt)
        assert waits.last_error.startswith("payment_not_found: ")
        assert waits.next_attempt_at is not None
        assert before + pause <= waits.next_attempt_at <= timezone.now() + pause
        assert process_due_messages() == 0
        due_again()
    process_due_messages()

    assert (now(event).state, now(event).attempts, now(event).next_attempt_at) == ("dead", MOST_TRIES, None)
    dead = Event.objects.get(type="webhook.dead")
    assert dead.data["event_id"] == event.event_id
    assert dead.data["error"].startswith("payment_not_found")
    given_up = [record for record in caplog.records if record.getMessage() == "webhook given up"]
    assert [record.levelname for record in given_up] == ["ERROR"]


def test_while_stripe_does_not_answer_the_message_waits(stripe: FakeStripe) -> None:
    payment = paid_by_card(stripe)
    event = succeeded(stripe)
    stripe.answer_next(500, times=3)

    process_due_messages()
    waits = now(event)
    due_again()
    process_due_messages()

    assert (waits.state, waits.last_error.split(":")[0]) == ("waiting", "gateway_unavailable")
    assert (now(event).state, books(payment)["payment"]) == ("processed", "succeeded")


def test_without_keys_messages_wait_until_they_are_back(stripe: FakeStripe, settings: Any) -> None:
    paid_by_card(stripe)
    event = succeeded(stripe)
    keys, settings.STRIPE = settings.STRIPE, None

    process_due_messages()
    waits = now(event)
    settings.STRIPE = keys
    due_again()
    process_due_messages()

    assert (waits.state, waits.last_error.split(":")[0]) == ("waiting", "gateway_not_configured")
    assert now(event).state == "processed"


@pytest.mark.stress
def test_a_poisonous_message_among_two_hundred_harms_none_of_the_others(
    stripe: FakeStripe, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def poison(message: object) -> None:
        raise KeyError("a mistake\0 of ours")

    monkeypatch.setitem(HANDLERS, "poison.taken", poison)
    payment = paid_by_card(stripe)
    poisonous = about(stripe, "pi_1", "poison.taken")
    body = json.dumps(
        {"id": "evt_x", "object": "event", "type": "a.b", "livemode": False, "data": {"object": {"id": "x"}}}
    )
    WebhookEvent.objects.bulk_create(
        WebhookEvent(provider="stripe", event_id=f"evt_{number}", type="a.b", body=body, next_attempt_at=timezone.now())
        for number in range(199)
    )
    last = succeeded(stripe)

    # Time stands still, or on a slow machine the poisonous one would be due again before the last of them.
    with time_machine.travel(timezone.now(), tick=False):
        assert process_due_messages(1000) == 201
    for _ in range(MOST_TRIES):
        due_again()
        process_due_messages()

    assert (now(last).state, books(payment)["payment"]) == ("processed", "succeeded")
    assert states().count("ignored") == 199
    assert (now(poisonous).state, now(poisonous).attempts) == ("dead", MOST_TRIES)
    assert now(poisonous).last_error == "KeyError: 'a mistake\\x00 of ours'"
    assert [event.data["event_id"] for event in Event.objects.filter(type="webhook.dead")] == [poisonous.event_id]
    assert any(record.exc_info for record in caplog.records if record.getMessage() == "webhook failed")


# --- What is killed -------------------------------------------------------------------------------------------------


def killed_before(monkeypatch: pytest.MonkeyPatch, event: WebhookEvent) -> None:
    """The worker dies before it does anything."""
    inbox.QUEUE.take()


def killed_within(monkeypatch: pytest.MonkeyPatch, event: WebhookEvent) -> None:
    """The worker dies before it has recorded what the gateway said."""

    def die(*arguments: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("igny8_core.business.billing.services.collection.gateway_payments.apply_charge", die)
        with pytest.raises(Killed):
            process_due_messages()


def killed_after(monkeypatch: pytest.MonkeyPatch, event: WebhookEvent) -> None:
    """The worker dies after the effect, before it has noted that it was done."""

    def die(*arguments: object, **columns: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(WorkQueue, "close", die)
        with pytest.raises(Killed):
            process_due_messages()


@pytest.mark.parametrize("kill", [killed_before, killed_within, killed_after])
def test_a_killed_worker_loses_nothing_and_does_nothing_twice(
    stripe: FakeStripe, monkeypatch: pytest.MonkeyPatch, kill: Callable[[pytest.MonkeyPatch, WebhookEvent], None]
) -> None:
    payment = paid_by_card(stripe)
    tell_stripe(stripe, stripe.events("payment_intent.succeeded")[0])
    event = WebhookEvent.objects.get()

    kill(monkeypatch, event)
    # Nobody else takes it before the lease has ended.
    during = process_due_messages()
    due_again()
    process_due_messages()

    assert during == 0
    assert (now(event).state, now(event).attempts) == ("processed", 2)
    assert (books(payment)["payment"], books(payment)["grants"]) == ("succeeded", 1)
    assert events_of(payment) == ["payment.started", "payment.succeeded"]


def test_a_message_that_kills_every_worker_is_given_up(stripe: FakeStripe) -> None:
    event = about(stripe, "pi_1")
    for _ in range(MOST_TRIES):
        inbox.QUEUE.take()
        due_again()

    process_due_messages()

    assert (now(event).state, now(event).last_error) == ("dead", "No attempt finished.")


# --- Operators ------------------------------------------------------------------------------------------------------


def test_the_command_processes_what_was_given_up_and_says_what_became_of_it(
    stripe: FakeStripe, capsys: pytest.CaptureFixture[str]
) -> None:
    payment = paid_by_card(stripe)
    dead, other = succeeded(stripe), about(stripe, "pi_unknown")
    WebhookEvent.objects.filter(pk=dead.pk).update(state="dead", attempts=MOST_TRIES, next_attempt_at=None)

    call_command("replay_webhooks", dead=True)

    assert capsys.readouterr().out == (f"{dead.pk} stripe payment_intent.succeeded {dead.event_id} processed\n")
    assert (now(dead).attempts, now(other).state, books(payment)["payment"]) == (1, "waiting", "succeeded")
    assert Event.objects.filter(type="webhook.replayed", object_id=str(dead.pk)).count() == 1


def test_the_command_fails_where_a_message_does(stripe: FakeStripe, capsys: pytest.CaptureFixture[str]) -> None:
    intent = stripe.create_payment_intent({"amount": 500, "currency": "usd", "metadata": {"payment_id": str(uuid4())}})
    event = about(stripe, intent["id"])

    with pytest.raises(SystemExit) as end:
        call_command("replay_webhooks", id=[event.pk])

    assert end.value.code == 1
    assert f"{event.pk} stripe payment_intent.succeeded {event.event_id} waiting: payment_not_found" in (
        capsys.readouterr().out
    )


def test_the_command_takes_all_since_a_time(stripe: FakeStripe, capsys: pytest.CaptureFixture[str]) -> None:
    early, late = about(stripe, "pi_1"), about(stripe, "pi_2")
    WebhookEvent.objects.filter(pk=early.pk).update(received_at=timezone.now() - timedelta(days=1))
    since = (timezone.now() - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")

    call_command("replay_webhooks", f"--since={since}")

    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [str(late.pk)]


def test_the_command_says_which_message_there_is_not(db: None) -> None:
    with pytest.raises(CommandError, match="no webhook message with the id 404"):
        call_command("replay_webhooks", "--id=404")


def test_what_was_replayed_names_the_operator(stripe: FakeStripe, olga: User) -> None:
    event = about(stripe, "pi_1")
    process_due_messages()

    replay_message(event, olga)

    assert (now(event).state, now(event).attempts, now(event).processed_at) == ("waiting", 0, None)
    assert Event.objects.get(type="webhook.replayed").actor == olga


def test_what_was_done_is_deleted_after_90_days_and_nothing_else(stripe: FakeStripe) -> None:
    kept: list[int] = []
    for state, age, is_kept in [
        ("processed", 91, False),
        ("ignored", 91, False),
        ("processed", 89, True),
        ("dead", 400, True),
        ("waiting", 400, True),
    ]:
        event = about(stripe, "pi_1")
        WebhookEvent.objects.filter(pk=event.pk).update(state=state, received_at=timezone.now() - timedelta(days=age))
        kept += [event.pk] * is_kept

    delete_old_webhooks()

    assert sorted(WebhookEvent.objects.values_list("pk", flat=True)) == kept
