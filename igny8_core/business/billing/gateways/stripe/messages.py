"""Read the ids in Stripe's webhook messages."""

import json
from typing import Any

from igny8_core.business.billing.gateways.protocol import WebhookMessage
from igny8_core.business.billing.gateways.stripe.mappers import (
    Object,
    id_of,
    moment,
    paid_with,
    part_of,
    rows_of,
    subscription_id_of_invoice,
)

# Where an object names other objects, by our word for them; the newer place first.
NAMED = {
    "payment_intent": ("payment_intent",),
    "charge": ("charge", "latest_charge"),
    "customer": ("customer",),
    "invoice": ("invoice", "latest_invoice"),
    "payment_method": ("payment_method",),
    "subscription": ("subscription",),
}
KINDS = frozenset({*NAMED, "refund", "setup_intent", "dispute"})


def read(body: bytes) -> WebhookMessage:
    """What a message is about. Raises ValueError if it is not an event with an object that has an id."""
    event = _parsed(body)
    thing = part_of(event, "data", "object")
    event_id, object_id, type_ = id_of(event), id_of(thing), event.get("type")
    if not event_id or not object_id or not isinstance(type_, str) or event.get("object") != "event":
        raise ValueError("The message is not an event of Stripe: it has no id, no type or no object with an id.")
    live = event.get("livemode")
    return WebhookMessage(
        event_id=event_id,
        type=type_,
        object_id=object_id,
        live=live if isinstance(live, bool) else None,
        related=_related(thing, part_of(event, "data", "previous_attributes")),
        api_version=str(event.get("api_version") or ""),
        created_at=moment(event.get("created")),
    )


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        event = json.loads(body.decode())
    except (ValueError, RecursionError):
        raise ValueError("The message is not JSON.") from None
    if not isinstance(event, dict):
        raise ValueError("The message is not a JSON object.")
    return event


def _related(thing: Object, before: Object) -> dict[str, str]:
    """Ids by kind: of the object itself and of what it names, or named before (as a detached card its customer)."""
    found = {
        kind: next((name for name in map(id_of, map(thing.get, names)) if name), "") for kind, names in NAMED.items()
    }
    kind = thing.get("object")
    if kind == "payment_intent":
        found["charge"] = found["charge"] or next(map(id_of, rows_of(thing.get("charges"))), "")
    if kind == "invoice":
        intent_id, charge_id = paid_with(rows_of(thing.get("payments")))
        found["payment_intent"] = found["payment_intent"] or intent_id
        found["charge"] = found["charge"] or charge_id
        found["subscription"] = subscription_id_of_invoice(thing)
    if kind in KINDS:
        found[str(kind)] = id_of(thing)
    found["customer"] = found["customer"] or id_of(before.get("customer"))
    return {name: value for name, value in found.items() if value}
