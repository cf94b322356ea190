"""transition() changes the status of a row, as its model's table of transitions allows; change() its other columns.

Rows of work queues (webhook messages, deliveries) change by common/work_queue.py instead.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from zlib import crc32

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import Field, JSONField, Model, TextChoices
from django.utils.translation import gettext as _

from igny8_core.common.db import PreparedStatement
from igny8_core.common.errors import TransitionNotAllowed
from igny8_core.common.set_writes import handed_over

AS_THEY_ARE = (str, int, bool, datetime, type(None))
Transitions = Mapping[str, frozenset[str]]


def transition(row: Model, to: TextChoices, transitions: Transitions, **changes: Any) -> None:
    """Change a saved row's `status` to `to`, together with other column `changes`, in one UPDATE.

    `transitions` maps each status to those it can become. The UPDATE requires the status that the row was read with, so
    that even a caller who forgot the lock cannot decide the same thing twice. On success `row` has the new values.
    Raises TransitionNotAllowed, with nothing changed, if the transition is not listed or the status changed meanwhile.
    """
    status: str = row.status  # type: ignore[attr-defined]
    if to.value not in transitions[status]:
        raise TransitionNotAllowed(_refusal(row, status, to, transitions))
    _write(row, {"status": to.value, **changes})


def change(row: Model, **changes: Any) -> None:
    """Change columns of a saved row that keeps its status, in the same way. Raises TransitionNotAllowed."""
    _write(row, changes)


def _write(row: Model, changes: Mapping[str, Any]) -> None:
    model, names = type(row), tuple(changes)
    written = [_stored(field, value) for field, value in zip(_fields(model, names), changes.values(), strict=True)]
    values = [row.pk, row.status, *written]  # type: ignore[attr-defined]
    is_written = handed_over(_set_statement(model, names), values) or _update_statement(model, names).fetch_one(values)
    if not is_written:
        raise TransitionNotAllowed(
            _("Somebody else changed the %(verbose_name)s just now. Load it again, then decide.")
            % {"verbose_name": row._meta.verbose_name}
        )
    for name, value in changes.items():
        setattr(row, name, value)


def _stored(field: "Field[Any, Any]", value: Any) -> Any:
    """The value as the driver takes it. Most are as they are, and asking the field about each takes long."""
    if isinstance(value, Model):
        return value.pk
    is_plain = type(value) in AS_THEY_ARE and not isinstance(field, JSONField)
    return value if is_plain else field.get_db_prep_save(value, connections[DEFAULT_DB_ALIAS])


@lru_cache
def _update_statement(model: type[Model], names: tuple[str, ...]) -> PreparedStatement:
    """The UPDATE for these columns.

    Prepared, because every approval runs four of them, and building and planning one takes longer than running it
    (benchmarks/approve.py).
    """
    columns = ", ".join(f'"{column}" = ${position}' for position, column in enumerate(_columns(model, names), start=3))
    table = model._meta.db_table
    return PreparedStatement(
        name=f"igny8_transition_{table.removeprefix('igny8_')}_{crc32(columns.encode()):08x}",
        types=("bigint", "text", *_types(model, names)),
        sql=f'UPDATE "{table}" SET {columns} WHERE id = $1 AND status = $2 RETURNING id',  # noqa: S608 - our names only
    )


@lru_cache
def _set_statement(model: type[Model], names: tuple[str, ...]) -> PreparedStatement:
    """The same UPDATE for many rows: each parameter is an array with the values of all."""
    columns, types, table = _columns(model, names), ("bigint", "text", *_types(model, names)), model._meta.db_table
    values = [f"value_{position}" for position in range(len(columns))]
    sets = ", ".join(f'"{column}" = draft.{value}' for column, value in zip(columns, values, strict=True))
    arrays = ", ".join(f"${position}" for position in range(1, len(types) + 1))
    return PreparedStatement(
        name=f"igny8_transitions_{table.removeprefix('igny8_')}_{crc32(sets.encode()):08x}",
        types=tuple(f"{each}[]" for each in types),
        sql=f"""
            UPDATE "{table}" changed SET {sets}
            FROM unnest({arrays}) AS draft (id, status, {", ".join(values)})
            WHERE changed.id = draft.id AND changed.status = draft.status RETURNING changed.id
        """,  # noqa: S608 - our names only
    )


def _columns(model: type[Model], names: tuple[str, ...]) -> list[str]:
    return [str(field.column) for field in _fields(model, names)]


def _types(model: type[Model], names: tuple[str, ...]) -> list[str]:
    # Without the length: a cast to varchar(20) would cut a longer text off, but the column itself refuses it.
    return [str(field.db_type(connection)).partition("(")[0] for field in _fields(model, names)]


@lru_cache
def _fields(model: type[Model], names: tuple[str, ...]) -> list["Field[Any, Any]"]:
    return [model._meta.get_field(name) for name in names]  # type: ignore[misc]


def _refusal(row: Model, status: str, to: TextChoices, transitions: Transitions) -> str:
    allowed = ", ".join(sorted(transitions[status]))
    hint = _("It can become: %(allowed)s.") % {"allowed": allowed} if allowed else _("This status is final.")
    return _("The %(verbose_name)s is %(status)s and cannot become %(to)s. %(hint)s") % {
        "verbose_name": row._meta.verbose_name,
        "status": status,
        "to": to.value,
        "hint": hint,
    }
