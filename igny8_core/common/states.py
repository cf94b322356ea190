"""Status moves: the only way a status field changes."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from zlib import crc32

from django.db import connection
from django.db.models import Field, Model, TextChoices

from igny8_core.common.db import PreparedStatement
from igny8_core.common.errors import TransitionNotAllowed

Moves = Mapping[str, frozenset[str]]


def transition(row: Model, to: TextChoices, moves: Moves, **changes: Any) -> None:
    """Move a saved row's `status` to `to`, together with other column `changes`, in one UPDATE.

    `moves` maps each status to those it may become. The UPDATE asks for the status that the row was read with, so
    that even a caller who forgot the lock cannot decide the same thing twice. On success `row` has the new values.
    Raises TransitionNotAllowed, with nothing changed, for a move that is not listed or a row that has moved meanwhile.
    """
    status: str = row.status  # type: ignore[attr-defined]
    if to.value not in moves[status]:
        raise TransitionNotAllowed(_refusal(row, status, to, moves))
    changes = {"status": to.value, **changes}
    values = [
        field.get_db_prep_save(value.pk if isinstance(value, Model) else value, connection)
        for field, value in zip(_fields(type(row), tuple(changes)), changes.values(), strict=True)
    ]
    if _move(type(row), tuple(changes)).fetch_one([row.pk, status, *values]) is None:
        raise TransitionNotAllowed(
            f"The {row._meta.verbose_name} was changed by somebody else just now. Look at it again."
        )
    for name, value in changes.items():
        setattr(row, name, value)


@lru_cache
def _move(model: type[Model], names: tuple[str, ...]) -> PreparedStatement:
    """The UPDATE for these columns.

    Prepared, because every approval makes four of them, and building one through the ORM and planning it takes longer
    than doing it (benchmarks/approve.py).
    """
    fields = _fields(model, names)
    columns = ", ".join(f'"{field.column}" = ${position}' for position, field in enumerate(fields, start=3))
    # Without a length: a cast to varchar(20) would cut a longer text, where the column itself refuses it.
    types = [str(field.db_type(connection)).partition("(")[0] for field in fields]
    table = model._meta.db_table
    return PreparedStatement(
        name=f"igny8_move_{table.removeprefix('igny8_')}_{crc32(columns.encode()):08x}",
        types=("bigint", "text", *types),
        sql=f'UPDATE "{table}" SET {columns} WHERE id = $1 AND status = $2 RETURNING id',  # noqa: S608 - our names only
    )


def _fields(model: type[Model], names: tuple[str, ...]) -> list["Field[Any, Any]"]:
    return [model._meta.get_field(name) for name in names]  # type: ignore[misc]


def _refusal(row: Model, status: str, to: TextChoices, moves: Moves) -> str:
    targets = ", ".join(sorted(moves[status])) or "nothing, it is final"
    return f"The {row._meta.verbose_name} is {status} and cannot become {to.value}; from here it can become {targets}."
