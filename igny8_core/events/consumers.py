"""The consumers of events. Apps register theirs in AppConfig.ready."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from igny8_core.events import registry
from igny8_core.events.models import Event


@dataclass(frozen=True)
class Consumer:
    """A consumer. `handle` is called outside any transaction, at least once per event; if it raises, it is retried."""

    name: str
    event_types: frozenset[str]
    handle: Callable[[Event], None]


_consumers: dict[str, Consumer] = {}


def register(name: str, event_types: Iterable[str], handle: Callable[[Event], None]) -> None:
    """Subscribe `handle` to event types. `name` is stored with deliveries and must not change.

    Raises UnknownEventType.
    """
    kinds = frozenset(registry.event_type(kind).name for kind in event_types)
    _consumers[name] = Consumer(name, kinds, handle)


def get(name: str) -> Consumer:
    """The registered consumer. Raises KeyError for an unknown name."""
    return _consumers[name]


def subscribed_to(event_type: str) -> list[str]:
    """Names of the consumers of an event type."""
    return [consumer.name for consumer in _consumers.values() if event_type in consumer.event_types]
