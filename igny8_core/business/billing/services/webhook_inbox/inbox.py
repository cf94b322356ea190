"""Webhook messages: stored once on arrival, processed later, and retried until they succeed or are given up.

The row is the queue, as with the deliveries of events (docs/adr/0001-events-are-polled.md): what a killed worker leaves
behind, the next one finds. handlers.py says what each message does.
"""

import logging
import re
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from igny8_core.auth.models import User
from igny8_core.business.billing.errors import UnmatchedAtGateway
from igny8_core.business.billing.gateways import gateway_of
from igny8_core.business.billing.gateways.protocol import WebhookMessage
from igny8_core.business.billing.models import WebhookEvent, WebhookState
from igny8_core.business.billing.services.webhook_inbox import handlers
from igny8_core.business.billing.services.webhook_inbox.errors import BadSignature, UnreadableMessage
from igny8_core.common import clock
from igny8_core.common.db import PreparedStatement, require_no_transaction, service_transaction
from igny8_core.common.errors import InvalidInput, TransitionNotAllowed
from igny8_core.common.work_queue import WorkQueue
from igny8_core.events import services as events

logger = logging.getLogger(__name__)
LEASE = timedelta(minutes=5)
BACK_OFF = [
    timedelta(seconds=10),
    *(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360, 720, 1440)),
]
MOST_TRIES = len(BACK_OFF) + 1
KEPT_FOR = timedelta(days=90)
# What waits for an operator, who has it processed again or sets it aside.
FOR_OPERATORS = [WebhookState.NEEDS_REVIEW, WebhookState.DEAD]
# What can be stored and searched for. The ids and types of both gateways fit.
NAME = re.compile(r"[\x21-\x7e]{1,100}", re.ASCII)
# One statement, because the gateway waits for the answer. Of two equal messages the unique index keeps the first.
STORE = PreparedStatement(
    name="igny8_store_webhook",
    types=("text", "text", "text", "text", "text", "timestamptz"),
    sql="""
        INSERT INTO igny8_webhook_events
            (provider, event_id, type, transmission_id, body, state, attempts, next_attempt_at, last_error, received_at)
        VALUES ($1, $2, $3, $4, $5, 'waiting', 0, $6, '', $6)
        ON CONFLICT DO NOTHING
        RETURNING id
    """,
)
DELETE_OLD = """
DELETE FROM igny8_webhook_events WHERE id IN (
    SELECT id FROM igny8_webhook_events
    WHERE state IN ('processed', 'ignored') AND received_at < %s
    ORDER BY id LIMIT %s
)
"""


def store_message(provider: str, message: WebhookMessage, body: bytes, transmission_id: str = "") -> bool:
    """Store a verified message, to be processed later; False if it is already stored.

    `transmission_id`: the gateway's id of the delivery, empty if it has none.
    Raises UnreadableMessage if its id or type cannot be stored, BadSignature if the headers of another message came
    with it: PayPal's signature covers no more than a CRC32 of the body.
    """
    text = _text(message, body)
    if STORE.fetch_one([provider, message.event_id, message.type, transmission_id, text, clock.now()]):
        return True
    if WebhookEvent.objects.filter(provider=provider, event_id=message.event_id).exists():
        return False
    logger.error("webhook forged: it came with the headers of another message", extra={"provider": provider})
    raise BadSignature()


def process_due_messages(limit: int = 200) -> int:
    """Process the messages that are due, oldest first, at most `limit`; returns how many were tried."""
    return QUEUE.run(limit)


def process_message(event: WebhookEvent) -> WebhookEvent:
    """Act on a message and store the outcome; returns the message as it is now.

    Its effects happen once, however often it is processed. RuntimeError in a transaction.
    """
    QUEUE.attempt(event)
    event.refresh_from_db()
    return event


@service_transaction
def replay_message(event: WebhookEvent, by: User | None = None) -> None:
    """Put a message back in the queue, whatever its state; it is processed within seconds."""
    WebhookEvent.objects.filter(pk=event.pk).update(
        state=WebhookState.WAITING, attempts=0, next_attempt_at=clock.now(), processed_at=None
    )
    events.record(_event("webhook.replayed", event, by))


def replay_message_now(event: WebhookEvent, by: User | None = None) -> WebhookEvent:
    """Like replay_message, but process it at once; returns the message as it is now. RuntimeError in a transaction."""
    require_no_transaction()
    replay_message(event, by)
    taken = QUEUE.take_now(event)
    if taken:
        QUEUE.attempt(taken)
    event.refresh_from_db()
    return event


@service_transaction
def set_message_aside(event: WebhookEvent, reason: str, by: User) -> None:
    """Close a message that needs review or was given up, because an operator settled it elsewhere, or nobody needs it.

    Raises InvalidInput if `reason` is empty, TransitionNotAllowed if the message waits for no operator.
    """
    if not reason.strip():
        raise InvalidInput(errors={"reason": [_("Write down what was done about the message; the log keeps it.")]})
    waiting = WebhookEvent.objects.filter(pk=event.pk, state__in=FOR_OPERATORS)
    if not waiting.update(state=WebhookState.IGNORED, processed_at=clock.now()):
        raise TransitionNotAllowed(_("This message no longer waits for an operator. Look at it again."))
    events.record(_event("webhook.set_aside", event, by, reason=reason[:500]))


def delete_old_messages(limit: int = 50_000) -> int:
    """Delete processed and ignored messages that are older than 90 days, at most `limit`; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(DELETE_OLD, [clock.now() - KEPT_FOR, limit])
        return int(cursor.rowcount)


def _text(message: WebhookMessage, body: bytes) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise UnreadableMessage() from None
    if not NAME.fullmatch(message.event_id) or not NAME.fullmatch(message.type) or "\0" in text:
        raise UnreadableMessage()
    return text


def _work(event: WebhookEvent) -> dict[str, Any] | None:
    message = gateway_of(event.provider).read_webhook(event.body.encode())
    try:
        is_ours = handlers.handle_message(event.provider, message)
    except UnmatchedAtGateway as problem:
        _hold_for_review(event, problem.text)
        return None
    # Last: if the worker dies before this, the message is processed again, which changes nothing more.
    return {"state": WebhookState.PROCESSED if is_ours else WebhookState.IGNORED, "processed_at": clock.now()}


@service_transaction
def _hold_for_review(event: WebhookEvent, reason: str) -> None:
    """Retrying would not help, so the message waits for an operator."""
    if QUEUE.close(event, reason[:500], state=WebhookState.NEEDS_REVIEW):
        logger.error("webhook needs review", extra={"row": event.pk, "provider": event.provider, "type": event.type})
        events.record(_event("webhook.needs_review", event, reason=reason[:500]))


@service_transaction
def _give_up(event: WebhookEvent, error: str) -> None:
    if QUEUE.close(event, error, state=WebhookState.DEAD):
        logger.error("webhook given up", extra={"row": event.pk, "provider": event.provider, "type": event.type})
        events.record(_event("webhook.dead", event, error=error))


def _event(event_type: str, event: WebhookEvent, by: User | None = None, **data: str) -> events.NewEvent:
    facts = {"provider": event.provider, "event_id": event.event_id, "type": event.type, **data}
    return events.about(event_type, event, by, facts)


QUEUE = WorkQueue(
    name="webhook",
    rows=WebhookEvent.objects.all(),
    lease=LEASE,
    work=_work,
    pauses=lambda _: BACK_OFF,
    give_up=_give_up,
    state=("state", WebhookState.WAITING),
)
