"""What stands in an operation's way and can be cleared, but only outside of the transaction that met it.

An open attempt at a gateway, for example, is closed by asking the gateway, and no transaction waits for the network.
So the operation raises the obstacle under its locks and is rolled back, the obstacle is cleared, and the operation is
done anew from its beginning (without_obstacles in igny8_core/common/db.py).
"""

from collections.abc import Callable
from typing import Any


class Obstacle(Exception):
    """Base of the refusals that can be cleared; they are DomainErrors too, for callers who meet one all the same."""


_clearings: dict[type[Obstacle], Callable[[Any], None]] = {}


def register(kind: type[Obstacle], clear: Callable[[Any], None]) -> None:
    """Say how obstacles of a kind are cleared: `clear` gets the obstacle, outside of any transaction.

    What `clear` raises is what the operation is refused with.
    """
    _clearings[kind] = clear


def clear(obstacle: Obstacle) -> None:
    """Take an obstacle out of the way. Raises what its kind's clearing raises."""
    _clearings[type(obstacle)](obstacle)
