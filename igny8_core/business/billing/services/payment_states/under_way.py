"""A payment under way blocks changes to its invoice; an attempt that is merely open does not.

An attempt is open while the customer has a form or an order at a gateway and has not paid (docs/domain.md section 4,
An open attempt holds nothing). Code that finds one under the account's lock raises AttemptOpen: the operation is
rolled back, the attempt is closed at its gateway (gateway_payments.close_open_attempt), and the operation runs again.
If the attempt turns out to be paid, that counts.
"""

from django.utils.translation import gettext as _

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

# The errors with which an operation can be refused because of an attempt that was open when it began.
ATTEMPT_REFUSALS = (AttemptOpen, AttemptNotClosed, InvoicePaidMeanwhile, PaymentBeingChecked)


def is_open(payment: Payment) -> bool:
    """Whether a payment waits for nothing but its customer at a gateway.

    An attempt with a saved card and no answer yet is not open: asking for its outcome would repeat the charge.
    """
    if payment.status != PaymentStatus.PENDING or payment.needs_review:
        return False
    is_being_charged = payment.is_confirmed_by_us and not payment.gateway_object_id
    return payment.payment_method in GATEWAY_METHODS and not is_being_charged


def payment_being_decided(*invoices: Invoice) -> Payment | None:
    """The first payment of the invoices that an operator or a gateway has yet to decide, with its invoice, or None.

    The caller holds the account's lock. Raises AttemptOpen if the only payments under way are open attempts.
    """
    under_way = _under_way(invoices)
    undecided = _first_undecided(under_way)
    if undecided is None:
        _require_none_open(under_way)
    return undecided


def undecided_payment_of(*invoices: Invoice) -> Payment | None:
    """The same for who only looks: no lock is needed, and open attempts are nothing."""
    return _first_undecided(_under_way(invoices))


def _under_way(invoices: tuple[Invoice, ...]) -> list[Payment]:
    payments = Payment.objects.filter(invoice__in=invoices, status__in=PAYMENTS_UNDER_WAY)
    return list(payments.select_related("invoice").order_by("pk"))


def _first_undecided(under_way: list[Payment]) -> Payment | None:
    return next((payment for payment in under_way if not is_open(payment)), None)


def require_no_open_attempt(account: Account) -> None:
    """Raises AttemptOpen if an attempt to pay any invoice of a locked account is open."""
    _require_none_open(list(payments_under_way_of(account)))


def require_no_other_payment(invoice: Invoice) -> None:
    """Refuse to pay a locked invoice while another payment of it is under way.

    Raises AttemptOpen, ConfirmationAlreadyOpen, PaymentBeingChecked.
    """
    payment = payment_being_decided(invoice)
    if payment:
        raise refusal_of_another(payment)


def refusal_of_another(payment: Payment) -> ConfirmationAlreadyOpen | PaymentBeingChecked:
    """The error that refuses another payment of the invoice while this payment is undecided."""
    return ConfirmationAlreadyOpen() if payment.status == PaymentStatus.PENDING_APPROVAL else PaymentBeingChecked()


@service_transaction
def close_open_attempts(invoice: Invoice) -> None:
    """Close an open attempt to pay an invoice, and refuse if another payment is under way.

    Raises ConfirmationAlreadyOpen, PaymentBeingChecked, InvoicePaidMeanwhile, AttemptNotClosed. RuntimeError in a
    transaction.
    """
    require_no_other_payment(invoice)


def why_undecided(payment: Payment) -> str:
    """What a payment under way waits for, as a sentence."""
    invoice_number = payment.invoice.invoice_number
    if payment.status == PaymentStatus.PENDING_APPROVAL:
        return _("A payment confirmation for invoice %(invoice_number)s waits for review.") % {
            "invoice_number": invoice_number
        }
    if payment.needs_review:
        return _(
            "A payment for invoice %(invoice_number)s needs review, because its gateway's data does not match."
        ) % {"invoice_number": invoice_number}
    return _(
        "The payment service has not decided on a payment for invoice %(invoice_number)s. Money may be on its way."
    ) % {"invoice_number": invoice_number}


def _require_none_open(payments: list[Payment]) -> None:
    left_open = [payment.pk for payment in payments if is_open(payment)]
    if left_open:
        raise AttemptOpen(left_open)
