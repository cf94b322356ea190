from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from igny8_core.auth.selectors import user_by_email
from igny8_core.auth.services.second_factor import reset_second_factor
from igny8_core.common.errors import DomainError


class Command(BaseCommand):
    """Takes a person's second factor away: the last resort, where no operator is left who could do it."""

    help = "Takes the second factor off a login whose device and recovery codes are lost. The person is told by e-mail."

    def add_arguments(self, parser: CommandParser) -> None:
        """The e-mail address of the login."""
        parser.add_argument("email", help="The e-mail address of the login")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError for an unknown address, and for a login without a second factor."""
        person = user_by_email(options["email"])
        if person is None:
            raise CommandError(f"No login has the e-mail address {options['email']}. Look at it again.")
        try:
            reset_second_factor(person, None)
        except DomainError as refusal:
            raise CommandError(refusal.text) from refusal
        self.stdout.write(f"{person} logs in with the password alone now, and was logged out everywhere.")
