"""What several tests of billing share."""

from collections.abc import Iterator

import pytest

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.services.proofs import files
from tests import make
from tests.billing.warm_reader import WarmReader


@pytest.fixture
def invoice(stripe: FakeStripe) -> Invoice:
    """The first invoice of a subscription, of an account that can pay by card."""
    invoice = make.subscription().invoices.get()
    make.customer_at_stripe(stripe, invoice.account)
    return invoice


@pytest.fixture(scope="session")
def started_reader() -> Iterator[WarmReader]:
    reader = WarmReader()
    yield reader
    reader.close()


@pytest.fixture
def warm_reader(started_reader: WarmReader, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read as ever, but by processes that need not start Python anew."""
    monkeypatch.setattr(files, "_run", started_reader.read)
