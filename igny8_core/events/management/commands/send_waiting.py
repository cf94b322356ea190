from typing import Any

from django.core.management.base import BaseCommand

from igny8_core.events import deliveries


class Command(BaseCommand):
    help = (
        "Make all mails and other deliveries due that wait for their next try, as after an outage of the mail server."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        count = deliveries.send_now()
        self.stdout.write(f"Deliveries that wait: {count}. The worker tries them within seconds.")
