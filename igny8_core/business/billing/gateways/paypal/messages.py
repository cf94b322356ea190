"""Read the ids in PayPal's webhook messages."""

import json
import re
from collections.abc import Iterator

from igny8_core.business.billing.gateways.paypal.client import Json
from igny8_core.business.billing.gateways.paypal.mappers import (
    checked,
    first,
    made_of,
    moment,
    order_of_capture,
    part,
    related_ids,
    text,
)
from igny8_core.business.billing.gateways.protocol import WebhookMessage

EVENT_ID = re.compile(r"[A-Za-z0-9-]{1,100}", re.ASCII)


def read(body: bytes) -> WebhookMessage:
    """What a message is about. Raises ValueError if it is not an event of PayPal."""
    try:
        event = json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(event, dict) or not isinstance(event.get("resource"), dict):
        raise ValueError("not an event with a resource")
    event_id, event_type = event.get("id"), event.get("event_type")
    if not isinstance(event_id, str) or not EVENT_ID.fullmatch(event_id):
        raise ValueError("not an event id")
    if not isinstance(event_type, str) or not re.fullmatch(r"[A-Z0-9._-]{1,100}", event_type):
        raise ValueError("not an event type")
    resource = event["resource"]
    return WebhookMessage(
        event_id=event_id,
        type=event_type,
        object_id=checked(resource.get("dispute_id") or resource.get("id") or resource.get("order_id")),
        live=None,
        related={kind: named for kind, value in _related(event, resource) if (named := checked(value))},
        api_version=text(event.get("resource_version"))[:20],
        created_at=moment(event.get("create_time")),
    )


def _related(event: Json, resource: Json) -> Iterator[tuple[str, object]]:
    """The ids that an event names, by kind. The resource of a REFUNDED event is the refund, not the capture."""
    kind = text(event.get("resource_type")).lower()
    yield "order", related_ids(resource).get("order_id") or resource.get("order_id")
    if kind == "checkout-order":
        yield "order", resource.get("id")
        yield "capture", first(part(first(resource.get("purchase_units")).get("payments")).get("captures")).get("id")
    elif kind == "capture":
        yield "order", order_of_capture(resource)
        yield "capture", resource.get("id")
    elif kind == "refund":
        yield "refund", resource.get("id")
        yield "capture", made_of(resource, "captures")
    elif kind == "dispute" or "dispute_id" in resource:
        yield "dispute", resource.get("dispute_id") or resource.get("id")
        yield "capture", first(resource.get("disputed_transactions")).get("seller_transaction_id")
