"""Which types of events there are. Each app declares its own in its event_types.py; docs/events.md lists them all."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class EventType:
    """`name` is noun.participle and never changes; `says` is one sentence; `subjects` are app.model of what changed."""

    name: str
    says: str
    subjects: tuple[str, ...]


class UnknownEventType(ValueError):
    """No app has declared such an event: a misspelt type would reach nobody, and nobody would notice."""


_types: dict[str, EventType] = {}


def register(subjects: str, sentences: Mapping[str, str]) -> None:
    """Declare events of the models `subjects` (app.model, several with spaces): what each type says, by its name.

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
    """Every declared type, by name."""
    return sorted(_types.values(), key=lambda kind: kind.name)


def as_table() -> str:
    """All types as the table of docs/events.md."""
    rows = [f"| `{kind.name}` | {kind.says} | {', '.join(kind.subjects)} |" for kind in all_types()]
    return "\n".join(["| type | what it says | about |", "|---|---|---|", *rows])
