"""Two operators decide the same payment at once: one decision stands, with all its effects and no other's."""

from collections.abc import Callable

import pytest
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.payment_service import PaymentService

from igny8_core.auth.models import User
from igny8_core.business.billing.errors import InvoiceNotPayable, PaymentNotPending
from igny8_core.business.billing.models import Payment
from igny8_core.business.billing.services.invoices import lifecycle
from igny8_core.business.billing.services.payment_states import transitions
from igny8_core.business.billing.services.payments import offline
from igny8_core.business.billing.services.payments.offline import Settlement
from igny8_core.common.errors import TransitionNotAllowed
from tests import make
from tests.concurrency.effects import APPROVED, REJECTED, WAITING, effects_of
from tests.concurrency.interleave import run_before
from tests.concurrency.race import all_at_once, kinds
from tests.concurrency.unlocked import without_row_locks

THREADS = 12
ROUNDS = 5

Decision = Callable[[Payment, User], object]


def approve(payment: Payment, operator: User) -> object:
    return PaymentService.approve_manual_payment(payment, operator)


def reject(payment: Payment, operator: User) -> object:
    return PaymentService.reject_manual_payment(payment, "Not on the statement", operator)


EITHER_ORDER = pytest.mark.parametrize(
    ("first", "second", "effects"),
    [
        pytest.param(approve, reject, APPROVED, id="approve-reject"),
        pytest.param(reject, approve, REJECTED, id="reject-approve"),
        pytest.param(approve, approve, APPROVED, id="approve-approve"),
        pytest.param(reject, reject, REJECTED, id="reject-reject"),
    ],
)


@pytest.mark.usefixtures("books_balance")
def test_one_of_many_approvals_succeeds_and_has_its_effects_once() -> None:
    olga = make.operator()
    for _ in range(ROUNDS):
        payment = make.submitted_payment()

        outcomes = all_at_once([lambda payment=payment: approve(payment, olga)] * THREADS)

        assert kinds(outcomes) == {"PaymentNotPending": THREADS - 1, "Settlement": 1}
        assert effects_of(payment) == APPROVED


@pytest.mark.usefixtures("books_balance")
def test_of_approvals_and_rejections_one_decides() -> None:
    olga = make.operator()
    for _ in range(ROUNDS):
        payment = make.submitted_payment()
        decisions = [lambda payment=payment: approve(payment, olga), lambda payment=payment: reject(payment, olga)]

        outcomes = all_at_once(decisions * (THREADS // 2))

        assert kinds(outcomes)["PaymentNotPending"] == THREADS - 1
        approved = any(isinstance(outcome, Settlement) for outcome in outcomes)
        assert effects_of(payment) == (APPROVED if approved else REJECTED)


@EITHER_ORDER
@pytest.mark.usefixtures("books_balance")
def test_a_decision_waits_for_the_one_under_way_and_is_refused(
    first: Decision, second: Decision, effects: dict[str, object]
) -> None:
    olga, payment = make.operator(), make.submitted_payment()

    with run_before(transitions, "transition", lambda: second(payment, olga)) as rival:
        first(payment, olga)

    assert rival.had_to_wait
    assert isinstance(rival.outcome(), PaymentNotPending)
    assert effects_of(payment) == effects


@EITHER_ORDER
@pytest.mark.usefixtures("transactional_db")
def test_canary_without_row_locks_the_second_decision_overtakes_the_first(
    first: Decision, second: Decision, effects: dict[str, object]
) -> None:
    olga, payment = make.operator(), make.submitted_payment()

    # The row's status in the UPDATE is the second guard: it stops the double decision, but only at the end.
    with (
        without_row_locks(),
        run_before(transitions, "transition", lambda: second(payment, olga)) as rival,
        pytest.raises(TransitionNotAllowed),
    ):
        first(payment, olga)

    assert not rival.had_to_wait
    assert not isinstance(rival.outcome(), Exception)


@pytest.mark.usefixtures("books_balance")
def test_an_invoice_cannot_be_voided_while_its_payment_is_approved() -> None:
    olga, payment = make.operator(), make.submitted_payment()
    invoice = payment.invoice

    with run_before(offline, "capture", lambda: InvoiceService.mark_void(invoice, "Mistake")) as rival:
        approve(payment, olga)

    assert rival.had_to_wait
    assert isinstance(rival.outcome(), TransitionNotAllowed)
    assert effects_of(payment) == APPROVED


@pytest.mark.usefixtures("books_balance")
def test_an_invoice_being_voided_takes_no_confirmation() -> None:
    payment = make.submitted_payment()
    reject(payment, make.operator())

    with run_before(lifecycle, "transition", lambda: make.submitted_payment(payment.invoice)) as rival:
        InvoiceService.mark_void(payment.invoice, "Mistake")

    assert rival.had_to_wait
    assert isinstance(rival.outcome(), InvoiceNotPayable)


@pytest.mark.usefixtures("transactional_db")
def test_canary_without_row_locks_a_void_invoice_gets_a_confirmation() -> None:
    payment = make.submitted_payment()
    reject(payment, make.operator())

    with (
        without_row_locks(),
        run_before(lifecycle, "transition", lambda: make.submitted_payment(payment.invoice)) as rival,
    ):
        InvoiceService.mark_void(payment.invoice, "Mistake")

    assert not rival.had_to_wait
    assert effects_of(rival.outcome())["invoice"] == "void"
    assert effects_of(rival.outcome())["payment"] == WAITING["payment"]
