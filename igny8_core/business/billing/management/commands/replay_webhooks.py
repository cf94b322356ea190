from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet

from igny8_core.business.billing.models import WebhookEvent, WebhookState
from igny8_core.business.billing.services.webhook_inbox.inbox import replay_message_now


class Command(BaseCommand):
    help = (
        "Process stored webhook messages of Stripe and PayPal again, at once, and print the outcome of each. Nothing "
        "is done twice. Exit code 1 if a message could not be processed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--id", type=int, nargs="+", metavar="ID", help="these rows of igny8_webhook_events")
        which.add_argument("--dead", action="store_true", help="all messages that were given up")
        which.add_argument("--since", type=_moment, metavar="TIME", help="all since then, like 2026-11-25T14:00 (UTC)")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = _chosen(options)
        failed = 0
        for number in list(chosen.order_by("pk").values_list("pk", flat=True)):
            event = replay_message_now(chosen.model.objects.get(pk=number))
            failed += event.state in {WebhookState.WAITING, WebhookState.DEAD}
            said = f": {event.last_error}" if event.last_error else ""
            self.stdout.write(f"{event.pk} {event} {event.event_id} {event.state}{said}")
        if failed:
            raise SystemExit(1)


def _chosen(options: dict[str, Any]) -> QuerySet[WebhookEvent]:
    events = WebhookEvent.objects.all()
    if options["dead"]:
        return events.filter(state=WebhookState.DEAD)
    if options["since"]:
        return events.filter(received_at__gte=options["since"])
    found = events.filter(pk__in=options["id"])
    missing = set(options["id"]) - set(found.values_list("pk", flat=True))
    if missing:
        raise CommandError(f"There is no webhook message with the id {', '.join(map(str, sorted(missing)))}.")
    return found


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
