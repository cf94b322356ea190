"""Prints what the settings of dunning mean for a sample invoice."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from igny8_core.business.billing.services.dunning.calendar import current_calendar
from igny8_core.business.billing.services.dunning.outlook import WORDS, sample
from igny8_core.business.billing.services.dunning.rules import Subject
from igny8_core.common import clock
from igny8_core.common.countries import COUNTRY_NAMES

# How long before its end a period's invoice is made, in the sample.
MADE_BEFORE = timedelta(days=settings.INVOICE_DUE_DAYS)
SUBJECTS = {
    Subject.RENEWAL: "A renewal",
    Subject.ORDER: "The first invoice of an order",
    Subject.OTHER: "Credits, and invoices made by hand",
}


class Command(BaseCommand):
    help = "Print what the settings of dunning mean: manage.py preview_dunning --due 2027-03-29 --country DE"

    def add_arguments(self, parser: CommandParser) -> None:
        """The sample invoice."""
        parser.add_argument("--due", type=date.fromisoformat, help="Its due date (default: a week from today)")
        parser.add_argument("--country", default="", help="The customer's country, two letters (default: not known)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a table for each kind of invoice. Raises CommandError for an unknown country."""
        due, country = options["due"] or clock.today() + MADE_BEFORE, options["country"].upper()
        if country and country not in COUNTRY_NAMES:
            raise CommandError(f"{country} is no country. Write two letters of ISO 3166-1, for example PK.")
        self.stdout.write("\n".join(_page(due, country)))


def _page(due: date, country: str) -> Iterator[str]:
    where = f"in {COUNTRY_NAMES[country]}" if country else "whose country is not known"
    rules = settings.DUNNING
    made = due - MADE_BEFORE
    yield f"An invoice of a customer {where}, made on {made:%A, %Y-%m-%d}, due on {due:%A, %Y-%m-%d} and never paid."
    yield f"Steps are taken from {rules.opens}:00 to {rules.closes}:00 of the customer's day."
    calendar = current_calendar()
    for subject, title in SUBJECTS.items():
        yield f"\n**{title}**\n\n| stage | taken on | what happens |\n|---|---|---|"
        for expected in sample(due - MADE_BEFORE, due, country, subject, calendar):
            stage = expected.stage
            yield f"| {stage.day:+d} | {expected.on:%A, %Y-%m-%d} | {WORDS[stage.kind]} |"
        if subject == Subject.RENEWAL:
            yield f"\nThe subscription is past due from {due + timedelta(days=1):%A, %Y-%m-%d}, 00:00."
