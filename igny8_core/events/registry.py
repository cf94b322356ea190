"""The registry of event types. Each app declares its own in event_types.py; docs/events.md lists them."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class EventType:
    """An event type: `name` (noun.participle; never changes), `says` (a sentence), `subjects` (app.model)."""

    name: str
    says: str
    subjects: tuple[str, ...]


class UnknownEventType(ValueError):
    """No app has declared this event type. Without this error, nobody would notice a misspelt type."""


_types: dict[str, EventType] = {}


def register(subjects: str, sentences: Mapping[str, str]) -> None:
    """Declare event types of the models `subjects` (app.model, separated by spaces). `sentences` are by type.

    Raises ValueError for a type that is declared already.
    """
    for name, says in sentences.items():
        if name in _types:
            raise ValueError(f"The event type {name} is declared twice.")
        _types[name] = EventType(name, says, tuple(subjects.split()))


def event_type(name: str) -> EventType:
    """The declared type. Raises UnknownEventType."""
    try:
        return _types[name]
    except KeyError:
        raise UnknownEventType(f"No event type {name!r} is declared in an event_types.py.") from None


def all_types() -> list[EventType]:
    """All declared types, sorted by name."""
    return sorted(_types.values(), key=lambda kind: kind.name)


def as_table() -> str:
    """All types as a Markdown table, for docs/events.md."""
    rows = [f"| `{kind.name}` | {kind.says} | {', '.join(kind.subjects)} |" for kind in all_types()]
    return "\n".join(["| type | what it says | about |", "|---|---|---|", *rows])
