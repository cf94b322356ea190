from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from igny8_core.business.billing.services.reconciliation.daily import reconcile
from igny8_core.business.billing.services.reconciliation.differences import Difference


class Command(BaseCommand):
    help = (
        "Compare the payments at Stripe and PayPal with ours, follow the gateways where that is safe, and list the "
        "differences. Exit code 1 if a difference is left that an operator has to look at."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=3, help="how many days back; open payments are always compared")

    def handle(self, *args: Any, **options: Any) -> None:
        found = reconcile(options["days"])
        for difference in found:
            self._print(difference)
        open_ones = [difference for difference in found if not difference.is_healed]
        self.stdout.write(f"{len(found)} difference(s), {len(open_ones)} to look at")
        if open_ones:
            raise SystemExit(1)

    def _print(self, difference: Difference) -> None:
        state = "healed" if difference.is_healed else "OPEN"
        subject = difference.subject
        row = f"{subject._meta.model_name} {subject.pk}" if subject else "-"
        place = f"{difference.gateway:7} {difference.object_id:30} {row:18}"
        self.stdout.write(f"{state:7} {difference.kind:13} {place} {difference.text}")
