"""Prints docs/limits.md."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand

from igny8_core.common.api.bounds import BOUNDS, counted

HEAD = """# All limits

What `manage.py list_limits` prints; a test compares. Where a number is named without a folder, it is a setting; the
others are constants in the code.

## How often

`RATE_LIMITS` in the settings. Who is over a limit gets 429 `throttled` with `Retry-After` in seconds; on a page, the
same in a sentence. Windows begin at fixed times, so waiting always ends
([decision 3](adr/0003-rate-limits-in-postgresql.md)). With several kinds of callers each is counted by itself.
Where networks are counted, so are the wider ones that they are in: an IPv4 address and its /24, which may do 4 times as
much; an IPv6 /64, its /56 (2 times) and its /48 (4 times).
`THROTTLING=off` switches all of these off, for demos and tests.

How you see that one was hit: the console's page “Limits hit” (Log) has how often each refused something, hour by hour,
and `/metrics` the sum as `igny8_limit_hits_total{limit="…"}`. The names are those of the first column here, and those
that the tables below call “shown as” or “not sent”. The log has a line `excess_rate_limit_exceeded` as well.

| limit | how often | counted for each | what counts |
|---|---|---|---|"""
FOOT = """
Not listed here are the limits of a plan (sites, members, credits), which are the account's
[terms](data-model.md#what-was-sold-and-what-is-in-force)."""


class Command(BaseCommand):
    help = "Print the page of all limits as Markdown: manage.py list_limits > docs/limits.md"

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the rates, then the other bounds by what they are about."""
        self.stdout.write("\n".join([HEAD, *_rates(), *_bounds(), FOOT]))


def _rates() -> Iterator[str]:
    for row in counted():
        yield f"| `{row.scope}` | {', '.join(row.rates)} | {', '.join(row.callers)} | {', '.join(row.what)} |"


def _bounds() -> Iterator[str]:
    for subject, bounds in BOUNDS.items():
        yield f"\n## {subject}\n\n| what | at most | beyond it | number |\n|---|---|---|---|"
        for bound in bounds:
            name = bound.where.removeprefix("igny8_core.")
            yield f"| {bound.sentence} | {bound.value} | {bound.answer} | `{name}` |"
