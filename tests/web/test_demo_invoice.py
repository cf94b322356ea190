"""The invoice that bin/run --with-fake-gateways shows to pay."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from igny8_core.business.billing.services.payment_service import PaymentService

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.services.invoices.pay_links import invoice_of_pay_link

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("defaults")]


@pytest.fixture(autouse=True)
def debug(settings: Any) -> None:
    settings.DEBUG = True


def shown_invoice() -> Invoice:
    output = StringIO()
    call_command("demo_invoice", stdout=output)
    kind, _, link = output.getvalue().strip().partition(": ")
    assert kind == "Demo invoice"
    return invoice_of_pay_link(link.rstrip("/").rsplit("/", 1)[1])


def test_the_same_open_invoice_is_shown_until_somebody_tries_to_pay_it(stripe: FakeStripe) -> None:
    first, again = shown_invoice(), shown_invoice()
    PaymentService.create_stripe_payment(first)

    another = shown_invoice()

    assert first == again != another
    assert first.status == another.status == "pending"
    assert first.total > 0


def test_demo_customers_are_refused_in_production(settings: Any) -> None:
    settings.DEBUG = False

    with pytest.raises(CommandError, match="development only"):
        call_command("demo_invoice")

    assert Invoice.objects.count() == 0
