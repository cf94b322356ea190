import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from igny8_core.business.billing.invariants import Result, check_all


class Command(BaseCommand):
    help = "Check what must always be true of accounts and money. Exit code 1 if something is not."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print a JSON array instead of a line per invariant")

    def handle(self, *args: Any, **options: Any) -> None:
        results = list(check_all())
        if options["json"]:
            self.stdout.write(json.dumps([asdict(result) for result in results], indent=2))
        else:
            for result in results:
                self._print(result)
        if any(result.violations for result in results):
            raise SystemExit(1)

    def _print(self, result: Result) -> None:
        state = f"BROKEN, {result.violations} time(s)" if result.violations else "holds"
        self.stdout.write(f"{result.number:2}. {result.name}: {state}")
        for example in result.examples:
            self.stdout.write(f"      {example}")
