from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from igny8_core.auth.models import User
from igny8_core.auth.password_rules import DEMO_OPERATOR as EMAIL
from igny8_core.auth.password_rules import DEMO_PASSWORD as PASSWORD


class Command(BaseCommand):
    help = "Create the demo operator on a development server and print the login. Refused without DJANGO_DEBUG."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The demo operator's password is public. Use manage.py createsuperuser instead.")
        operator = User.objects.filter(email=EMAIL).first()
        if operator is None:
            User.objects.create_superuser(EMAIL, PASSWORD)
        elif not operator.check_password(PASSWORD):
            self.stdout.write(f"Demo operator: {EMAIL} (with the password that you set)")
            return
        self.stdout.write(f"Demo operator: {EMAIL} / {PASSWORD}")
