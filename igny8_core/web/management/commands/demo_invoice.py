import secrets
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from igny8_core.business.billing.models import Invoice, InvoiceStatus
from igny8_core.business.billing.services.invoices.pay_links import pay_link
from igny8_core.business.signup.service import register

DOMAIN = "demo.example.com"


class Command(BaseCommand):
    help = (
        "Print the link to pay an open invoice of a demo customer, who is made where there is none. "
        "Refused without DJANGO_DEBUG."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("Demo customers are for development only.")
        self.stdout.write(f"Demo invoice: {pay_link(_untouched_invoice() or _new_invoice())}")


def _untouched_invoice() -> Invoice | None:
    """An invoice that nobody has tried to pay: a stand-in that was stopped has forgotten earlier tries."""
    invoices = Invoice.objects.filter(account__owner__email__endswith=f"@{DOMAIN}", status=InvoiceStatus.PENDING)
    return invoices.filter(payments=None, account__stripe_customer_id="").select_related("account").first()


def _new_invoice() -> Invoice:
    signup = register(
        email=f"customer-{secrets.token_hex(4)}@{DOMAIN}",
        password=secrets.token_urlsafe(24),
        first_name="Demo",
        last_name="Customer",
        account_name="Demo customer",
        plan_slug="starter",
        billing={"billing_country": "US"},
    )
    if signup.invoice is None:
        raise CommandError("The plan starter costs nothing any more. Give it a price, then try again.")
    return signup.invoice
