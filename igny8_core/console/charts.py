"""Charts of the console, drawn on the server as SVG: bars over a line at zero, with every amount in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

WIDTH, HEIGHT, MARGIN, GAP = 480, 300, 36, 0.25


@dataclass(frozen=True)
class Point:
    """One bar: its name under it, how long it is, the amount in words, and further cells of its row in the table."""

    name: str
    value: Decimal | int
    text: str
    cells: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bar:
    """A bar as it is drawn; `middle` is where its name stands."""

    point: Point
    x: str
    y: str
    width: str
    height: str
    middle: str
    is_named: bool


@dataclass(frozen=True)
class Chart:
    """A chart with the table that says the same. `href`: the list of what it counts; empty if there is none."""

    title: str
    head: tuple[str, ...]
    bars: list[Bar]
    zero: str
    href: str = ""
    width: int = WIDTH
    height: int = HEIGHT
    below: int = HEIGHT - 10


def chart_of(title: str, head: Sequence[str], points: Sequence[Point], href: str = "") -> Chart:
    """A chart of `points`; `head` names the columns of its table: of the name, of the amount, of further cells."""
    values = [Decimal(0), *(Decimal(point.value) for point in points)]
    top, bottom = max(values), min(values)
    room = Decimal(HEIGHT - MARGIN) / ((top - bottom) or 1)
    zero = top * room
    step = WIDTH / max(len(points), 1)
    # Names get under each bar only where they have room.
    every = 1 if len(points) <= 5 else 3
    last = len(points) - 1

    def bar(number: int, point: Point) -> Bar:
        length = abs(Decimal(point.value)) * room
        left = number * step
        return Bar(
            point,
            x=_written(left + step * GAP / 2),
            y=_written(zero - length if point.value > 0 else zero),
            width=_written(step * (1 - GAP)),
            height=_written(length),
            middle=_written(left + step / 2),
            is_named=(last - number) % every == 0,
        )

    drawn = [bar(number, point) for number, point in enumerate(points)]
    return Chart(title, tuple(head), drawn, _written(zero), href)


def _written(number: Any) -> str:
    return f"{number:.1f}"
