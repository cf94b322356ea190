"""Obstacles: what stops an operation and can be cleared outside its transaction.

Example: an open attempt at a gateway is closed by asking the gateway, and no transaction may wait for the network. So
the operation raises the obstacle and is rolled back, the obstacle is cleared, and the operation starts again
(without_obstacles in igny8_core/common/db.py).
"""

from collections.abc import Callable
from typing import Any


class Obstacle(Exception):
    """Parent of the refusals that can be cleared. They are also DomainErrors, for callers to whom they are raised."""


_clearings: dict[type[Obstacle], Callable[[Any], None]] = {}


def register(kind: type[Obstacle], clear: Callable[[Any], None]) -> None:
    """Register how obstacles of a kind are cleared: `clear` gets the obstacle, outside any transaction.

    If `clear` raises an error, the operation is refused with it.
    """
    _clearings[kind] = clear


def clear(obstacle: Obstacle) -> None:
    """Clear an obstacle. Raises what the registered function raises."""
    _clearings[type(obstacle)](obstacle)
