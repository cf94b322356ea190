"""The figures that charts are drawn from: coordinates for SVG, without a script or a library.

A chart stretches with its page, so its shapes have the coordinates of a fixed box, and all that is read stands beside
it as text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from igny8_core.business.billing.usage import Interval, OperationUse

# The box of the line chart.
WIDTH, HEIGHT = 600, 200
STEPS = 4
DAYS_NAMED = 5
# As many colours as people tell apart; what is left is one slice together.
SLICES = 5


@dataclass(frozen=True)
class Point:
    """A day, week or month of the line, and the band of the box in which a pointer asks for it."""

    interval: Interval
    band: str
    band_width: str


@dataclass(frozen=True)
class Line:
    """Credits over time. `ticks` are the numbers beside the chart, from the top; `days` are named below it."""

    path: str
    area: str
    points: list[Point]
    ticks: list[int]
    days: list[date]


def line_of(series: Sequence[Interval]) -> Line:
    """The line through a series of at least one interval."""
    step = _step(max(interval.credits for interval in series))
    top = STEPS * step
    width = WIDTH / max(1, len(series) - 1)
    places = [(at * width, HEIGHT - HEIGHT * each.credits / top) for at, each in enumerate(series)]
    if len(places) == 1:
        # One interval is a level line.
        places = [(0, places[0][1]), (WIDTH, places[0][1])]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    last = len(series) - 1
    named = sorted({round(last * part / (DAYS_NAMED - 1)) for part in range(DAYS_NAMED)})
    return Line(
        path=path,
        area=f"{path}L{WIDTH} {HEIGHT}L0 {HEIGHT}Z",
        points=[_point(each, at, len(series)) for at, each in enumerate(series)],
        ticks=[step * number for number in range(STEPS, -1, -1)],
        days=[series[at].start for at in named],
    )


def _point(interval: Interval, at: int, count: int) -> Point:
    width = WIDTH / count
    return Point(interval, f"{at * width:.1f}", f"{width:.1f}")


def _step(most: int) -> int:
    """A round number of which STEPS are at least `most`: 1, 2 or 5 with zeros behind."""
    power = 1
    while True:
        for factor in (1, 2, 5):
            if STEPS * factor * power >= most:
                return factor * power
        power *= 10


@dataclass(frozen=True)
class Slice:
    """One part of the ring: it begins after `before` and is `percent` long, in hundredths of the whole circle."""

    colour: int
    name: str
    credits: int
    percent: str
    before: str


def ring_of(uses: Sequence[OperationUse], others: str) -> list[Slice]:
    """The shares of the operations, most credits first; the smaller ones together are called `others`."""
    whole = sum(use.credits for use in uses)
    parts = [(use.display_name, use.credits) for use in uses]
    if len(parts) > SLICES + 1:
        parts = [*parts[:SLICES], (others, sum(credits for _, credits in parts[SLICES:]))]
    slices, before = [], 0
    for colour, (name, credits) in enumerate(parts, start=1):
        slices.append(Slice(colour, name, credits, f"{100 * credits / whole:.2f}", f"{-100 * before / whole:.2f}"))
        before += credits
    return slices


@dataclass(frozen=True)
class Bar:
    """An operation, and how long its bar is beside the longest one, in per cent."""

    use: OperationUse
    length: str


def bars_of(uses: Sequence[OperationUse]) -> list[Bar]:
    """A bar for each operation, most credits first."""
    most = uses[0].credits if uses else 1
    return [Bar(use, f"{100 * use.credits / most:.1f}") for use in uses]
