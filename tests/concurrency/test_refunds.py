"""Refunds of one payment at the same moment never give back more than came in (REF-02, REF-07)."""

import random
from decimal import Decimal

import pytest

from igny8_core.auth.models import User
from igny8_core.business.billing.errors import PaymentNotRefundable, RefundExceedsPayment
from igny8_core.business.billing.models import CreditNote, Payment
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.business.billing.services.credits.granting import LedgerEntry
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.payment_states import transitions
from igny8_core.common.errors import TransitionNotAllowed
from tests import make
from tests.cases import run_rounds
from tests.concurrency.effects import ALL_REFUNDED, books_of
from tests.concurrency.interleave import before_commit, run_before
from tests.concurrency.race import all_at_once, kinds
from tests.concurrency.unlocked import without_row_locks

THREADS = 16
FEW, MORE = 3, 8


def captured(olga: User | None = None) -> Payment:
    return PaymentService.approve_manual_payment(make.submitted_payment(), olga or make.operator()).payment


def refund(payment: Payment, amount: str | None = None) -> CreditNote:
    return PaymentService.process_refund(payment, Decimal(amount) if amount else None, reason="Race")


@pytest.mark.usefixtures("books_balance")
@run_rounds(FEW, MORE)
def test_a_part_that_is_decided_on_the_same_page_twice_goes_back_once(rounds: int) -> None:
    for _ in range(rounds):
        payment = captured()

        def decided(payment: Payment = payment) -> CreditNote:
            return PaymentService.process_refund(payment, Decimal("8.90"), left=payment.amount)

        outcomes = all_at_once([decided] * 4)

        assert kinds(outcomes) == {"CreditNote": 1, "RefundedMeanwhile": 3}


# --- REF-02: parts --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("books_balance")
@run_rounds(FEW, MORE)
def test_of_parts_sent_together_only_as_many_succeed_as_the_payment_holds(rounds: int) -> None:
    for _ in range(rounds):
        payment = captured()

        outcomes = all_at_once([lambda payment=payment: refund(payment, "8.90")] * THREADS)

        assert kinds(outcomes)["CreditNote"] == 10
        assert {type(outcome) for outcome in outcomes} <= {CreditNote, RefundExceedsPayment, PaymentNotRefundable}
        assert books_of(payment) == ALL_REFUNDED


@pytest.mark.usefixtures("books_balance")
@run_rounds(FEW, MORE)
def test_random_parts_never_add_up_to_more_than_came_in(rounds: int) -> None:
    pick = random.Random(20261208)
    for _ in range(rounds):
        payment = captured()
        parts = [f"{pick.randint(1, 3000) / 100:.2f}" for _ in range(THREADS)]

        all_at_once([lambda payment=payment, part=part: refund(payment, part) for part in parts])

        books = books_of(payment)
        assert books["refunded"] == books["notes"] <= Decimal(89)
        assert books["credits"] == books["ledger"] == 1000 - books["balance"]
        # Something was refused only because it did not fit in any more.
        left = Decimal(89) - books["refunded"]
        accepted = sorted(CreditNote.objects.filter(payment=payment).values_list("amount", flat=True))
        refused = sorted(set(map(Decimal, parts)) - set(accepted))
        assert all(part > left for part in refused)


@pytest.mark.usefixtures("books_balance")
def test_a_part_waits_for_the_one_under_way_and_sees_it() -> None:
    payment = captured()

    with run_before(transitions, "refund", lambda: refund(payment, "50.00")) as rival:
        refund(payment, "50.00")

    assert rival.had_to_wait
    assert isinstance(rival.outcome(), RefundExceedsPayment)
    assert books_of(payment)["refunded"] == Decimal(50)


@pytest.mark.usefixtures("books_balance")
@pytest.mark.parametrize("before", [None, "1.00"])
def test_canary_without_the_lock_a_part_overtakes_the_one_under_way(before: str | None) -> None:
    payment = captured()
    if before:
        refund(payment, before)

    # The amount in the UPDATE is the second guard: it stops the double refund, but only at the end.
    with (
        without_row_locks(),
        run_before(transitions, "refund", lambda: refund(payment, "50.00")) as rival,
        pytest.raises(TransitionNotAllowed),
    ):
        refund(payment, "50.00")

    assert not rival.had_to_wait
    assert isinstance(rival.outcome(), CreditNote)


# --- REF-07: all of it, by two doors --------------------------------------------------------------------------------


@pytest.mark.usefixtures("books_balance")
@run_rounds(FEW, MORE)
def test_one_of_many_full_refunds_succeeds(rounds: int) -> None:
    for _ in range(rounds):
        payment = captured()

        outcomes = all_at_once([lambda payment=payment: refund(payment)] * THREADS)

        assert kinds(outcomes) == {"CreditNote": 1, "PaymentNotRefundable": THREADS - 1}
        assert books_of(payment) == ALL_REFUNDED


# --- Beside spending ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("books_balance")
def test_a_spend_waits_for_the_refund_under_way_and_does_not_get_what_went_back() -> None:
    payment = captured()

    rival = before_commit(
        lambda: refund(payment), lambda: CreditService.spend(payment.account, 1, operation_type="article")
    )

    assert rival.had_to_wait
    assert type(rival.outcome()).__name__ == "InsufficientCredits"


@pytest.mark.usefixtures("books_balance")
def test_a_refund_waits_for_the_spend_under_way_and_states_it() -> None:
    payment = captured()

    rival = before_commit(
        lambda: CreditService.spend(payment.account, 400, operation_type="article"), lambda: refund(payment)
    )

    note = rival.outcome()
    assert rival.had_to_wait
    assert isinstance(note, CreditNote)
    assert (note.credits_taken_back, note.credits_not_recovered) == (600, 400)


@pytest.mark.usefixtures("books_balance")
def test_refunds_adjustments_and_spends_together_keep_the_books() -> None:
    olga, payment = make.operator(), captured()
    account = payment.account
    calls = [
        lambda: refund(payment, "11.11"),
        lambda: CreditService.adjust(account, 50, reason="Race", adjusted_by=olga),
        lambda: CreditService.adjust(account, -30, reason="Race", adjusted_by=olga),
        lambda: CreditService.spend(account, 40, operation_type="article"),
    ]

    outcomes = all_at_once(calls * 4)

    assert sum(isinstance(outcome, CreditNote | LedgerEntry) for outcome in outcomes) == 16
