"""The registry of event types. Each app declares its own in event_types.py; docs/events.md lists them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class EventType:
    """An event type: `name` (noun.participle; never changes), `says` (a sentence), `subjects` (app.model)."""

    name: str
    says: str
    subjects: tuple[str, ...]


class UnknownEventType(ValueError):
    """No app has declared this event type. Without this error, nobody would notice a misspelt type."""


_types: dict[str, EventType] = {}
# Event types that also leave a line in the security log: its name there, or what finds the name in the event's data.
SecurityName = str | Callable[[Mapping[str, Any]], str]
_security: dict[str, SecurityName] = {}


def register(subjects: str, sentences: Mapping[str, str]) -> None:
    """Declare event types of the models `subjects` (app.model, separated by spaces). `sentences` are by type.

    Raises ValueError for a type that is declared already.
    """
    for name, says in sentences.items():
        if name in _types:
            raise ValueError(f"The event type {name} is declared twice.")
        _types[name] = EventType(name, says, tuple(subjects.split()))


def tell_security_log(names: Mapping[str, SecurityName]) -> None:
    """Write a line into the security log whenever an event of these types is committed; `names` are those of the log.

    Raises UnknownEventType for a type that is not declared.
    """
    for kind, name in names.items():
        _security[event_type(kind).name] = name


def security_name(kind: str, data: Mapping[str, Any]) -> str:
    """What the security log calls this event; empty for one that is none of its business."""
    name = _security.get(kind, "")
    return name if isinstance(name, str) else name(data)


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
