"""What several tests of billing share."""

import pytest

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.business.billing.models import Invoice
from tests import make


@pytest.fixture
def invoice(stripe: FakeStripe) -> Invoice:
    """The first invoice of a subscription, of an account that can pay by card."""
    invoice = make.subscription().invoices.get()
    make.customer_at_stripe(stripe, invoice.account)
    return invoice
