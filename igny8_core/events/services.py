"""Records events in the transaction of the change that they report."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction

from igny8_core.common import clock
from igny8_core.common.db import PreparedStatement, require_atomic
from igny8_core.common.request_id import current_request_id
from igny8_core.common.security_log import security_event
from igny8_core.events import consumers, registry
from igny8_core.events.models import Event

# One statement inserts events and their deliveries. Every change of state pays for it, and no delivery can be missing.
RECORD = PreparedStatement(
    name="igny8_record_events",
    types=("text[]", "bigint[]", "text[]", "text[]", "bigint[]", "jsonb[]", "text", "text[]", "text[]", "timestamptz"),
    sql="""
        WITH new_event AS (
            INSERT INTO igny8_events
                (type, account_id, object_type, object_id, actor_id, data, request_id, created_at)
            SELECT type, account_id, object_type, object_id, actor_id, data, $7, $10
            FROM unnest($1, $2, $3, $4, $5, $6) AS draft (type, account_id, object_type, object_id, actor_id, data)
            RETURNING id, type
        )
        INSERT INTO igny8_event_deliveries (event_id, consumer, status, attempts, next_attempt_at, last_error)
        SELECT new_event.id, subscription.consumer, 'waiting', 0, $10, ''
        FROM new_event JOIN unnest($8, $9) AS subscription (type, consumer) USING (type)
    """,
)


@dataclass(frozen=True)
class NewEvent:
    """An event to record. `subject` is the saved object that changed; `data` are JSON values."""

    type: str
    subject: models.Model
    account_id: int | None
    actor_id: int | None = None
    data: dict[str, Any] = field(default_factory=dict)


# A user or their id; None if the system acts by itself.
Actor = models.Model | int | None


def about(
    event_type: str, subject: models.Model, actor: Actor = None, data: Mapping[str, Any] | None = None
) -> NewEvent:
    """An event about `subject`, for the account that it belongs to, if any."""
    is_account = isinstance(subject, Event._meta.get_field("account").related_model)
    account_id = subject.pk if is_account else getattr(subject, "account_id", None)
    actor_id = actor.pk if isinstance(actor, models.Model) else actor
    return NewEvent(event_type, subject, account_id, actor_id, dict(data or {}))


def configured(event_type: str, row: models.Model, actor: Actor, names: Iterable[str] | None = None) -> NewEvent:
    """An event about a row that operators configure, with its name and new values; the same from console and API.

    `names` are the changed columns; None means all, for a row that was created or deleted.
    """
    fields = [field for field in (*row._meta.fields, *row._meta.many_to_many) if field.editable and field.name != "id"]
    changed = {field.name: _value(row, field) for field in fields if names is None or field.name in names}
    return about(event_type, row, actor, {"name": str(row), "changed": changed})


def _value(row: models.Model, field: Any) -> Any:
    value = field.value_from_object(row)
    return sorted(each.pk for each in value) if field.many_to_many else value


_held_back: ContextVar[list[NewEvent] | None] = ContextVar("held_back_events", default=None)


def record(*events: NewEvent) -> None:
    """Insert events, and a delivery for each of their consumers, in the current transaction.

    Raises RuntimeError outside a transaction, because an event must be committed together with its change. Raises
    UnknownEventType for an undeclared type, or a type that is declared for another model.
    """
    for event in events:
        _require_declared(event)
    _hand_on(events)


def _hand_on(events: Sequence[NewEvent]) -> None:
    """Keep events for a block that records them together, else write them."""
    held_back = _held_back.get()
    if held_back is not None:
        held_back.extend(events)
        return
    require_atomic()
    _write(events)
    for event in events:
        if name := registry.security_name(event.type, event.data):
            # Not before it is certain that it has happened.
            transaction.on_commit(partial(_tell_security_log, name, event))


@contextmanager
def recorded_together() -> Iterator[None]:
    """Write all events that the block records in one statement at its end; none if the block raises.

    For operations that call several services, each of which records events.
    """
    events: list[NewEvent] = []
    token = _held_back.set(events)
    try:
        yield
    finally:
        _held_back.reset(token)
    _hand_on(events)


def _tell_security_log(name: str, event: NewEvent) -> None:
    what = {"event": event.type, "about": f"{event.subject._meta.label_lower} {event.subject.pk}"}
    security_event(name, "success", user=event.actor_id, account=event.account_id, **what)


def _require_declared(event: NewEvent) -> None:
    subject = event.subject._meta.label_lower
    if subject not in registry.event_type(event.type).subjects:
        raise registry.UnknownEventType(f"{event.type} is not declared for the model {subject}.")


def _write(events: Sequence[NewEvent]) -> None:
    kinds = {event.type for event in events}
    subscriptions = [(kind, name) for kind in kinds for name in consumers.subscribed_to(kind)]
    RECORD.run(
        [
            [event.type for event in events],
            [event.account_id for event in events],
            [event.subject._meta.label_lower for event in events],
            [str(event.subject.pk) for event in events],
            [event.actor_id for event in events],
            [json.dumps(event.data, cls=DjangoJSONEncoder) for event in events],
            current_request_id(),
            [kind for kind, _ in subscriptions],
            [name for _, name in subscriptions],
            clock.now(),
        ]
    )
