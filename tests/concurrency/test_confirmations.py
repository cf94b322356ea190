"""Customers who confirm payments at the same moment (PAY-04, PAY-05)."""

import pytest

from igny8_core.business.billing.errors import ConfirmationAlreadyOpen
from igny8_core.business.billing.models import Invoice, Payment
from igny8_core.business.billing.services.payments import offline
from igny8_core.events.models import Event
from tests import make
from tests.concurrency.interleave import run_before
from tests.concurrency.race import all_at_once, kinds
from tests.concurrency.unlocked import without_reference_lock

THREADS = 12


def flagged() -> int:
    return sum(payment.is_flagged_duplicate for payment in Payment.objects.all())


def two_invoices() -> tuple[Invoice, Invoice]:
    """Of different accounts."""
    make.payment_method()
    return make.invoice(), make.invoice()


@pytest.mark.usefixtures("books_balance")
def test_an_invoice_confirmed_many_times_has_one_open_confirmation() -> None:
    make.payment_method()
    invoice = make.invoice()

    outcomes = all_at_once(
        [lambda number=number: make.submitted_payment(invoice, f"BT-{number}") for number in range(THREADS)]
    )

    assert kinds(outcomes) == {"ConfirmationAlreadyOpen": THREADS - 1, "Payment": 1}
    assert Payment.objects.get().status == "pending_approval"
    Event.objects.get(type="payment.submitted")


@pytest.mark.usefixtures("books_balance")
def test_a_second_confirmation_waits_for_the_first_and_is_refused() -> None:
    make.payment_method()
    invoice = make.invoice()

    with run_before(offline, "refusing", lambda: make.submitted_payment(invoice, "other")) as rival:
        make.submitted_payment(invoice, "BT-1")

    assert rival.had_to_wait
    assert isinstance(rival.outcome(), ConfirmationAlreadyOpen)
    Payment.objects.get()


@pytest.mark.usefixtures("books_balance")
def test_one_reference_sent_by_many_accounts_at_once_is_flagged_on_all() -> None:
    make.payment_method()
    invoices = [make.invoice() for _ in range(6)]
    spellings = ["BT-2026 01", "bt2o26o1", "ВТ 2026-01", "ｂｔ２０２６０１", "bt-২০-২৬-০১", "BT_۲۰۲۶۰۱"]

    outcomes = all_at_once(
        [
            lambda invoice=invoice, spelling=spelling: make.submitted_payment(invoice, spelling)
            for invoice, spelling in zip(invoices, spellings, strict=True)
        ]
    )

    assert kinds(outcomes) == {"Payment": 6}
    assert flagged() == 6


@pytest.mark.usefixtures("books_balance")
def test_a_reference_waits_for_the_same_reference_of_another_account_and_is_flagged() -> None:
    ours, theirs = two_invoices()

    with run_before(offline, "refusing", lambda: make.submitted_payment(theirs, "bt 1")) as rival:
        first = make.submitted_payment(ours, "BT-1")

    second = rival.outcome()
    assert rival.had_to_wait
    assert isinstance(second, Payment)
    assert (first.metadata, second.metadata) == ({}, {"duplicate_of": first.pk})
    assert flagged() == 2


@pytest.mark.usefixtures("books_balance")
def test_canary_without_the_text_lock_neither_reference_is_flagged() -> None:
    ours, theirs = two_invoices()

    with (
        without_reference_lock(),
        run_before(offline, "refusing", lambda: make.submitted_payment(theirs, "bt 1")) as rival,
    ):
        make.submitted_payment(ours, "BT-1")

    assert not rival.had_to_wait
    assert (Payment.objects.count(), flagged()) == (2, 0)
