"""What payments and refunds ask of the database while the account is locked: exactly this, and nothing unasked."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connection, transaction

from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import Account, Plan
from igny8_core.business.billing.ledger import lock_balance
from igny8_core.business.billing.locks import lock_payment
from igny8_core.business.billing.models import Payment
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.webhook_inbox.inbox import process_message
from tests import hidden_queries, make
from tests.concurrency.interleave import before_commit
from tests.concurrency.sql_trace import sent_by, summary
from tests.webhooks.cast import paid_by_card, succeeded

pytestmark = pytest.mark.usefixtures("books_balance")

LOCKED = ["BEGIN", "EXECUTE igny8_lock_account", "EXECUTE igny8_lock_payment"]
BEGUN = [
    *("BEGIN", "EXECUTE igny8_lock_account", "SELECT igny8_invoices LOCK"),
    # Today's attempts are counted, and one under way is refused by the index.
    *("SELECT igny8_payments", "SAVEPOINT", "INSERT igny8_payments"),
    *("EXECUTE igny8_record_events", "RELEASE", "COMMIT"),
]
SETTLED = [
    *LOCKED,
    *("EXECUTE igny8_transition_payments", "EXECUTE igny8_settle_invoice", "EXECUTE igny8_transition_subscriptions"),
    *("EXECUTE igny8_transition_accounts", "EXECUTE igny8_grant_credits", "EXECUTE igny8_record_events", "COMMIT"),
]
BOOKED = [
    # One under way is refused; the payment is moved, and what it bought is taken back.
    *(
        "SELECT igny8_refunds",
        "UPDATE igny8_payments",
        "EXECUTE igny8_transition_payments",
        "INSERT igny8_invoice_counters",
    ),
    *("SELECT igny8_credit_grants", "SELECT igny8_credit_grants", "UPDATE igny8_credit_grants"),
    *("UPDATE igny8_accounts", "INSERT igny8_credit_transactions"),
    # The invoice that holds: the paid one, or the one that corrects its buyer.
    *("SELECT igny8_invoices", "INSERT igny8_credit_notes"),
    "EXECUTE igny8_record_events",
]
REFUND_BEGUN = [
    *(*LOCKED, "SELECT igny8_refunds", "SAVEPOINT", "INSERT igny8_refunds", "RELEASE"),
    *("EXECUTE igny8_record_events", "COMMIT"),
]
REFUND_ENDED = [*LOCKED, *BOOKED, "EXECUTE igny8_transition_refunds", "EXECUTE igny8_record_events", "COMMIT"]


def under_locks(call: Callable[[], object]) -> list[list[str]]:
    """The statements of each transaction that locks an account, in short words, the preparing of others left out."""
    transactions: list[list[str]] = []
    is_open = False
    for sql in (summary(each) for each in sent_by(call)):
        if sql == "BEGIN":
            transactions.append([])
        is_open = is_open or sql == "BEGIN"
        if is_open and not sql.startswith("PREPARE"):
            transactions[-1].append(sql)
        is_open = is_open and sql != "COMMIT"
    return [each for each in transactions if "EXECUTE igny8_lock_account" in each]


def with_saved_card(stripe: FakeStripe) -> Callable[[], Payment]:
    invoice = make.subscription().invoices.get()
    saved = make.saved_card(stripe, invoice.account).gateway_method_id
    return lambda: PaymentService.create_stripe_payment(invoice, saved).payment


def test_a_payment_with_a_saved_card(stripe: FakeStripe) -> None:
    assert under_locks(with_saved_card(stripe)) == [BEGUN, SETTLED]


def test_a_card_payment_that_a_message_tells_of(stripe: FakeStripe) -> None:
    paid_by_card(stripe)
    event = succeeded(stripe)

    assert under_locks(lambda: process_message(event)) == [SETTLED]


def test_taking_what_was_approved_at_paypal(paypal: FakePayPal) -> None:
    make.payment_method(payment_method="paypal", display_name="PayPal")
    payment = PaymentService.create_paypal_payment(make.subscription().invoices.get()).payment
    paypal.approve(payment.gateway_object_id)

    asked = [*LOCKED, "UPDATE igny8_payments", "COMMIT"]
    assert under_locks(lambda: PaymentService.complete_payment(payment)) == [asked, SETTLED]


def test_an_approval() -> None:
    payment, olga = make.submitted_payment(), make.operator()

    assert under_locks(lambda: PaymentService.approve_manual_payment(payment, olga)) == [SETTLED]


def test_a_refund_by_hand() -> None:
    olga = make.operator()
    payment = PaymentService.approve_manual_payment(make.submitted_payment(), olga).payment

    def refund() -> object:
        return PaymentService.process_refund(payment, Decimal("10.00"), reason="Goodwill", refunded_by=olga)

    assert under_locks(refund) == [[*LOCKED, *BOOKED, "COMMIT"]]


def test_a_refund_through_the_gateway(stripe: FakeStripe) -> None:
    payment, olga = with_saved_card(stripe)(), make.operator()

    def refund() -> object:
        return PaymentService.process_refund(payment, Decimal("10.00"), reason="Goodwill", refunded_by=olga)

    assert under_locks(refund) == [REFUND_BEGUN, REFUND_ENDED]


def test_what_is_loaded_unasked_under_the_lock_is_noticed() -> None:
    """The canary of the fixture in tests/conftest.py: a related row, a column that was left out; both only locked."""
    payment = make.submitted_payment()

    with hidden_queries.noticed(__file__) as seen, connection.execute_wrapper(seen.note_statement):
        assert Account.objects.get(pk=payment.account_id).plan
        with transaction.atomic():
            assert Account.objects.get(pk=payment.account_id).plan
            account = lock_account(payment.account_id)
            assert account.plan
            assert not lock_payment(account, payment.pk).admin_notes

    assert [found.partition(" loads ")[2] for found in seen.found] == ["Account.plan", "Payment.admin_notes"]


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (lambda tenant: lock_account(tenant.pk, "plan").plan.included_credits, 777),
        (lambda tenant: lock_account(tenant.pk, "plan", "owner").owner.email, "new@example.com"),
        (lambda tenant: lock_balance(tenant)[1], 777),
    ],
)
def test_who_waited_for_the_lock_reads_what_the_account_has_now(
    read: Callable[[Account], object], expected: object
) -> None:
    """PostgreSQL looks again at the locked row only: a join alone would find the account gone, or without its owner."""
    tenant = make.owner().account
    assert tenant
    larger: Plan = make.plan("larger", included_credits=777)
    heir = make.user(email="new@example.com", account=tenant)

    def move() -> None:
        locked = lock_account(tenant.pk)
        locked.plan, locked.owner = larger, heir
        locked.save(update_fields=["plan", "owner"])

    rival = before_commit(move, lambda: transaction.atomic(read)(tenant))

    assert rival.had_to_wait
    assert rival.outcome() == expected
