import pytest

from igny8_core.auth.models import User
from igny8_core.business.billing.services.payment_service import PaymentService
from tests import make

pytestmark = pytest.mark.django_db


def test_approval_pays_invoice_starts_subscription_activates_account_and_grants_credits(olga: User) -> None:
    payment = make.submitted_payment()

    settlement = PaymentService.approve_manual_payment(payment, olga, admin_notes="Seen on the statement")

    account = settlement.account
    account.refresh_from_db()
    payment.refresh_from_db()
    assert payment.status == "succeeded"
    assert payment.approved_by == olga
    assert payment.invoice.status == "paid"
    assert payment.invoice.subscription.status == "active"
    assert (account.status, account.credits) == ("active", 1000)
    assert (settlement.credits_added, settlement.total_credits) == (1000, 1000)
