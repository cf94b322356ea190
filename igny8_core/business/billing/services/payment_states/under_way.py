"""What a payment under way forbids, and that an attempt which is merely open forbids nothing.

An attempt is open while its customer has been given a form or an order at a gateway and has not paid
(docs/domain.md section 4, An open attempt holds nothing). Whoever meets one under the account's lock raises
AttemptOpen: what was done so far is rolled back, the attempt is closed at its gateway
(gateway_payments.close_open_attempt), and the operation is done anew. If the attempt turns out to be paid, that counts.
"""

from igny8_core.auth.models import Account
from igny8_core.business.billing.errors import (
    AttemptNotClosed,
    AttemptOpen,
    ConfirmationAlreadyOpen,
    InvoicePaidMeanwhile,
    PaymentBeingChecked,
)
from igny8_core.business.billing.models import GATEWAY_METHODS, PAYMENTS_UNDER_WAY, Invoice, Payment, PaymentStatus
from igny8_core.business.billing.selectors import payments_under_way_of
from igny8_core.common.db import service_transaction

# What an operation can be refused with because of an attempt that was open when it began.
ATTEMPT_REFUSALS = (AttemptOpen, AttemptNotClosed, InvoicePaidMeanwhile, PaymentBeingChecked)


def is_open(payment: Payment) -> bool:
    """Whether a payment waits for nothing but its customer at a gateway.

    A card that we named is being charged until there is an answer: asking what became of it would charge it.
    """
    if payment.status != PaymentStatus.PENDING or payment.needs_review:
        return False
    is_being_charged = payment.is_confirmed_by_us and not payment.gateway_object_id
    return payment.payment_method in GATEWAY_METHODS and not is_being_charged


def payment_being_decided(*invoices: Invoice) -> Payment | None:
    """The first payment of the invoices that an operator or a gateway decides on, with its invoice; None for none.

    The caller holds the account's lock. Raises AttemptOpen where some are only open.
    """
    payments = Payment.objects.filter(invoice__in=invoices, status__in=PAYMENTS_UNDER_WAY)
    under_way = list(payments.select_related("invoice").order_by("pk"))
    decided = [payment for payment in under_way if not is_open(payment)]
    if decided:
        return decided[0]
    _require_none_open(under_way)
    return None


def require_no_open_attempt(account: Account) -> None:
    """Refuse to go on while attempts to pay any invoice of a locked account are open. Raises AttemptOpen."""
    _require_none_open(list(payments_under_way_of(account)))


def require_no_other_payment(invoice: Invoice) -> None:
    """Refuse to have a locked invoice paid while a payment of it is decided on.

    Raises AttemptOpen, ConfirmationAlreadyOpen, PaymentBeingChecked.
    """
    payment = payment_being_decided(invoice)
    if payment:
        raise refusal_of_another(payment)


def refusal_of_another(payment: Payment) -> ConfirmationAlreadyOpen | PaymentBeingChecked:
    """What another way of paying is refused with, while this payment of the invoice is decided on."""
    return ConfirmationAlreadyOpen() if payment.status == PaymentStatus.PENDING_APPROVAL else PaymentBeingChecked()


@service_transaction
def close_open_attempts(invoice: Invoice) -> None:
    """Close the attempt to pay an invoice that is open, and make sure that nothing else is under way.

    Raises ConfirmationAlreadyOpen, PaymentBeingChecked, InvoicePaidMeanwhile, AttemptNotClosed. RuntimeError in a
    transaction.
    """
    require_no_other_payment(invoice)


def why_undecided(payment: Payment) -> str:
    """What a payment under way waits for, in a sentence."""
    invoice_number = payment.invoice.invoice_number
    if payment.status == PaymentStatus.PENDING_APPROVAL:
        return f"A confirmation that invoice {invoice_number} was paid waits for review."
    if payment.needs_review:
        return f"A payment for invoice {invoice_number} needs review, because what its gateway says does not fit."
    return f"The payment service decides on a payment for invoice {invoice_number}: money may be on its way."


def _require_none_open(payments: list[Payment]) -> None:
    left_open = [payment.pk for payment in payments if is_open(payment)]
    if left_open:
        raise AttemptOpen(left_open)
