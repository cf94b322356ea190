"""The consumers of events. Apps register theirs in AppConfig.ready."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from igny8_core.events import registry
from igny8_core.events.models import Event


@dataclass(frozen=True)
class Consumer:
    """A consumer. `handle` is called outside any transaction, at least once per event; if it raises, it is retried.

    `sends_mail`: it waits for the mail server, so nothing else waits behind it (deliveries.py).
    """

    name: str
    event_types: frozenset[str]
    handle: Callable[[Event], None]
    sends_mail: bool


_consumers: dict[str, Consumer] = {}


def register(
    name: str, event_types: Iterable[str], handle: Callable[[Event], None], *, sends_mail: bool = False
) -> None:
    """Subscribe `handle` to event types. `name` is stored with deliveries and must not change.

    Raises UnknownEventType.
    """
    kinds = frozenset(registry.event_type(kind).name for kind in event_types)
    _consumers[name] = Consumer(name, kinds, handle, sends_mail)


def get(name: str) -> Consumer:
    """The registered consumer. Raises KeyError for an unknown name."""
    return _consumers[name]


def names_of_mailers() -> list[str]:
    """Names of the consumers that send mail."""
    return [consumer.name for consumer in _consumers.values() if consumer.sends_mail]


def subscribed_to(event_type: str) -> list[str]:
    """Names of the consumers of an event type."""
    return [consumer.name for consumer in _consumers.values() if event_type in consumer.event_types]
