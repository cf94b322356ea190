"""The ledger's rows are read in the reader's language; what is kept of them stays as it was written."""

from datetime import timedelta

import pytest

from igny8_core.auth.models import Account, User
from igny8_core.business.billing.ledger_words import ledger_texts
from igny8_core.business.billing.models import CreditGrant, CreditGrantKind, CreditTransaction, CreditTransactionType
from igny8_core.business.billing.pricing import package_line
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.business.billing.services.credits.granting import expire_credits
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.common import clock
from igny8_core.common.languages import in_language
from tests import make

pytestmark = pytest.mark.django_db


def read(account: Account, language: str) -> list[str]:
    """The ledger, newest first, as it is read in a language."""
    with in_language(language):
        return ledger_texts(account, list(CreditTransaction.objects.filter(account=account)))


@pytest.fixture
def account(alice: User) -> Account:
    assert alice.account
    return alice.account


def test_a_plan_that_was_sold_in_one_language_is_read_in_another(account: Account, olga: User) -> None:
    account.status = "pending_payment"
    account.save()
    invoice = make.subscription(account, make.plan("starter")).invoices.get()
    PaymentService.approve_manual_payment(make.submitted_payment(invoice), olga)
    kept = CreditTransaction.objects.get().description

    assert kept == f"Starter plan, monthly ({invoice.invoice_number})"
    assert read(account, "en") == [kept]
    assert read(account, "de") == [f"Tarif Starter, monatlich ({invoice.invoice_number})"]
    assert CreditTransaction.objects.get().description == kept


def test_a_package_that_was_sold_in_german_is_read_in_english(account: Account, olga: User) -> None:
    with in_language("de"):
        line = package_line(make.credit_package())
    invoice = make.invoice(account, line_items=[line])
    PaymentService.approve_manual_payment(make.submitted_payment(invoice), olga)

    assert "Credit-Paket" in CreditTransaction.objects.get().description
    assert read(account, "en") == [f"Credit package Pro, 2000 credits ({invoice.invoice_number})"]


def test_words_of_an_operator_stay(account: Account, olga: User) -> None:
    line = package_line(make.credit_package()) | {"description": "As agreed with Mr Khan"}
    invoice = make.invoice(account, line_items=[line])
    PaymentService.approve_manual_payment(make.submitted_payment(invoice), olga)

    assert read(account, "de") == [f"As agreed with Mr Khan ({invoice.invoice_number})"]


def test_what_expired_says_its_day_as_the_reader_writes_it(account: Account) -> None:
    kind, of = CreditGrantKind.PLAN, CreditTransactionType.TRIAL
    CreditService.grant(account, 9, kind=kind, transaction_type=of, source="t", description="Free trial credits")
    ended = clock.now() - timedelta(days=1)
    CreditGrant.objects.update(expires_at=ended)
    expire_credits(account)

    assert read(account, "en") == [f"Credits expired on {ended:%Y-%m-%d}", "Free trial credits"]
    german = read(account, "de")
    assert f"{ended:%Y}" in german[0]
    assert f"{ended:%Y-%m-%d}" not in german[0]
    assert "Free trial credits" not in german


def test_a_refund_is_read_in_the_reader_s_language(account: Account, olga: User) -> None:
    invoice = make.invoice(account, line_items=[package_line(make.credit_package())])
    payment = PaymentService.approve_manual_payment(make.submitted_payment(invoice), olga).payment
    PaymentService.process_refund(payment, "5.00", refunded_by=olga)

    [refund, _sold] = CreditTransaction.objects.all()
    number = refund.source.removeprefix("credit_note:")
    assert refund.description == f"Refund {number}"
    assert read(account, "de")[0] == f"Erstattung {number}"
