import os
import sys
import time
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

ELSEWHERE = (
    "The simulation is not in this installation: the production image has no folders simulation and fake_gateways. "
    "Run it from the source, on a development machine."
)
MOST_ACCOUNTS, MOST_DAYS, MOST_SCHEDULERS = 10_000, 3650, 32


class Command(BaseCommand):
    help = (
        "Let a scripted population sign up, pay (in time, late, twice, never) and change its mind, day by day through "
        "the real services, on a database of its own; print what happened and the money by month, and prove the books. "
        "Settings are those of the environment, so that you see what they do. Exit code 1 if a promise is broken."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--accounts", type=int, default=50, metavar="N", help="how many accounts (50)")
        parser.add_argument("--days", type=int, default=90, metavar="D", help="how many days (90)")
        parser.add_argument("--start", type=_day, default=date(2027, 1, 1), metavar="DAY", help="the first day")
        parser.add_argument("--seed", type=int, default=1, help="the same seed, the same population (1)")
        parser.add_argument("--schedulers", type=int, default=1, metavar="N", help="how many run at once, forked (1)")
        parser.add_argument("--kill", action="store_true", help="kill -9 about half of the forked schedulers at work")
        parser.add_argument("--pdf", action="store_true", help="draw the PDFs of mails too, which takes long")
        parser.add_argument("--keep", action="store_true", help="keep the database, and say its name")

    def handle(self, *args: Any, **options: Any) -> None:
        _require_sensible(options)
        try:
            from simulation import proofs, report, run, scratch
        except ModuleNotFoundError as missing:
            if str(missing.name).partition(".")[0] not in {"simulation", "fake_gateways"}:
                raise
            raise CommandError(ELSEWHERE) from missing
        plot = run.Plot(
            accounts=options["accounts"],
            days=options["days"],
            first=options["start"],
            seed=options["seed"],
            schedulers=options["schedulers"],
            kills=options["kill"],
            pdfs=options["pdf"],
        )
        try:
            with scratch.scratch_database(keep=options["keep"]) as name:
                begun = time.monotonic()
                outcome = run.simulate(plot, report.Bar(sys.stderr, plot.days).show)
                proven = list(proofs.proofs(outcome))
                spent = report.Spent(time.monotonic() - begun, sum(os.times()[:4]))
                for line in report.lines(outcome, proven, spent):
                    self.stdout.write(line)
        except KeyboardInterrupt:
            raise CommandError("Stopped before the end. The scratch database is dropped.") from None
        except scratch.NoScratchDatabase as problem:
            raise CommandError(str(problem)) from problem
        if options["keep"]:
            self.stdout.write(f"\nThe database {name} is kept. Drop it when you have looked: DROP DATABASE {name};")
        if not all(proof.holds for proof in proven):
            raise SystemExit(1)


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _require_sensible(options: dict[str, Any]) -> None:
    """Raises CommandError naming the option."""
    for name, most in (("accounts", MOST_ACCOUNTS), ("days", MOST_DAYS), ("schedulers", MOST_SCHEDULERS)):
        if not 1 <= options[name] <= most:
            raise CommandError(f"--{name} is {options[name]}. Give a number from 1 to {most}.")
    if options["kill"] and options["schedulers"] == 1:
        raise CommandError("--kill needs --schedulers of 2 or more: a single one would do nothing after its end.")
