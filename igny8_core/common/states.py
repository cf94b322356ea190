"""Status moves: the only way a status field changes."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model, TextChoices

from igny8_core.common.errors import MoveNotAllowed

Moves = Mapping[str, frozenset[str]]


def transition(row: Model, to: TextChoices, moves: Moves, **changes: Any) -> None:
    """Move a saved row's `status` to `to`, together with other column `changes`, in one UPDATE.

    `moves` maps each status to those it may become. The UPDATE asks for the status that the row was read with, so
    that even a caller who forgot the lock cannot decide the same thing twice. On success `row` has the new values.
    Raises MoveNotAllowed, with nothing changed, for a move that is not listed or a row that has moved meanwhile.
    """
    status: str = row.status  # type: ignore[attr-defined]
    if to.value not in moves[status]:
        raise MoveNotAllowed(_refusal(row, status, to, moves))
    unmoved = type(row)._base_manager.filter(pk=row.pk, status=status)
    if not unmoved.update(status=to.value, **changes):
        raise MoveNotAllowed(f"The {row._meta.verbose_name} was changed by somebody else just now. Look at it again.")
    for name, value in {"status": to.value, **changes}.items():
        setattr(row, name, value)


def _refusal(row: Model, status: str, to: TextChoices, moves: Moves) -> str:
    targets = ", ".join(sorted(moves[status])) or "nothing, it is final"
    return f"The {row._meta.verbose_name} is {status} and cannot become {to.value}; from here it can become {targets}."
