"""What happened to one row, for its History page in the console."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Model

from igny8_core.events.models import Event
from igny8_core.events.registry import UnknownEventType, event_type

SHOWN_AT_MOST = 200


@dataclass(frozen=True)
class Told:
    """An event as operators read it; `actor` is empty where nobody did it, but time or a gateway."""

    pk: int
    at: datetime
    actor: str
    kind: str
    says: str


def history_of(row: Model) -> list[Told]:
    """The row's newest events, newest first."""
    events = Event.objects.filter(object_type=row._meta.label_lower, object_id=str(row.pk)).select_related("actor")
    return [
        Told(event.pk, event.created_at, str(event.actor or ""), event.type, _sentence(event.type))
        for event in events.order_by("-pk")[:SHOWN_AT_MOST]
    ]


def _sentence(kind: str) -> str:
    try:
        return event_type(kind).says
    except UnknownEventType:  # of a release before
        return kind
