"""Book refunds: money of a payment goes back with a credit note, and the unspent credits it bought are taken back."""

from datetime import UTC
from decimal import Decimal

from django.utils.translation import gettext as _

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import User
from igny8_core.business.billing.errors import (
    OwnAccountPayment,
    PaymentNotRefundable,
    RefundedMeanwhile,
    RefundExceedsPayment,
    RefundUnderWay,
)
from igny8_core.business.billing.locks import lock_payment
from igny8_core.business.billing.models import (
    REFUNDS_UNDER_WAY,
    CreditGrant,
    CreditNote,
    Payment,
    PaymentStatus,
    Refund,
)
from igny8_core.business.billing.selectors import grant_sources
from igny8_core.business.billing.services.credits.granting import take_back_credits
from igny8_core.business.billing.services.invoices import numbering
from igny8_core.business.billing.services.invoices.corrections import corrected
from igny8_core.business.billing.services.payment_states import transitions
from igny8_core.common import clock
from igny8_core.common.db import service_transaction
from igny8_core.common.money import InvalidAmount, amount_text, minor_units
from igny8_core.events import services as events

REFUNDABLE = frozenset({PaymentStatus.SUCCEEDED, PaymentStatus.PARTIALLY_REFUNDED})


@service_transaction
def refund_by_hand(
    payment: Payment,
    amount: Decimal | None,
    reason: str,
    reference: str,
    refunded_by: User | None,
    left: Decimal | None = None,
) -> CreditNote:
    """PaymentService.process_refund for money that came by bank or wallet. `reference`: that of our transfer back."""
    account = lock_account(payment.account_id)
    payment = lock_payment(account, payment.pk)
    require_refundable(payment, refunded_by, left)
    return book_refund(
        payment, checked_amount(amount, payment), reason=reason, reference=reference, refunded_by=refunded_by
    )


@service_transaction
def book_refund(
    payment: Payment,
    amount: Decimal,
    *,
    reason: str,
    reference: str = "",
    gateway_refund_id: str = "",
    refunded_by: User | None = None,
) -> CreditNote:
    """Record that `amount` was refunded: update the payment, write the credit note, take back unspent credits.

    The caller holds the locks of account and payment and has checked that `amount` is still left of the payment.
    """
    already = payment.refunded_amount
    with events.recorded_together():
        transitions.refund(payment, amount)
        now = clock.now()
        number = numbering.next_credit_note_number(payment.account_id, now.astimezone(UTC).date())
        due = _credits_due(payment, already)
        taken = take_back_credits(
            payment.account,
            due,
            granted_for=grant_sources(payment),
            source=f"credit_note:{number}",
            description=f"Refund {number}",
            actor=refunded_by,
        )
        credit_note = CreditNote.objects.create(
            account=payment.account,
            invoice=corrected(payment.invoice),
            payment=payment,
            credit_note_number=number,
            amount=amount,
            currency=payment.currency,
            reason=reason,
            reference=reference,
            gateway_refund_id=gateway_refund_id,
            credits_taken_back=taken,
            credits_not_recovered=due - taken,
            created_by=refunded_by,
            created_at=now,
        )
        events.record(_refunded_event(payment, credit_note))
    return credit_note


def left_of(payment: Payment) -> Decimal:
    """What of a captured payment was not refunded yet."""
    left: Decimal = payment.amount - payment.refunded_amount
    return left


def require_refundable(payment: Payment, operator: User | None, left: Decimal | None = None) -> None:
    """Refuse to refund a locked payment, also one of which other than `left` is left by now.

    Raises OwnAccountPayment, PaymentNotRefundable, RefundUnderWay, RefundedMeanwhile.
    """
    if operator is not None and operator.account_id == payment.account_id:
        raise OwnAccountPayment()
    if payment.status not in REFUNDABLE:
        status = payment.get_status_display().lower()
        raise PaymentNotRefundable(
            _("This payment is %(status)s. %(text)s") % {"status": status, "text": _(PaymentNotRefundable.text)}
        )
    if Refund.objects.filter(payment=payment, status__in=REFUNDS_UNDER_WAY).exists():
        raise RefundUnderWay()
    if left is not None and left != left_of(payment):
        then, now = (amount_text(amount, payment.currency) for amount in (left, left_of(payment)))
        raise RefundedMeanwhile(
            _(
                "When you opened the dialog, %(then)s was left of this payment; now it is %(now)s. Nothing was "
                "refunded. Look at its credit notes, then refund what is still due."
            )
            % {"then": then, "now": now}
        )


def checked_amount(amount: Decimal | None, payment: Payment) -> Decimal:
    """The amount to refund; None means all that is left. Raises InvalidAmount, RefundExceedsPayment."""
    currency = payment.currency
    left = left_of(payment)
    if amount is None:
        return left
    expected = _("Expected an amount up to %(amount)s, which is what is left of this payment.") % {
        "amount": amount_text(left, currency)
    }
    if not isinstance(amount, Decimal) or not amount.is_finite() or amount <= 0:
        raise InvalidAmount(errors={"amount": [expected]})
    # 9.000 has more decimals than dollars have (AMT-05).
    if -int(amount.as_tuple().exponent) > minor_units(currency):
        raise InvalidAmount(errors={"amount": [expected]})
    if amount > left:
        text = _("Only %(amount)s is left of this payment. Refund that much or less.") % {
            "amount": amount_text(left, currency)
        }
        raise RefundExceedsPayment(text, errors={"amount": [text]})
    return amount


def _credits_due(payment: Payment, already: Decimal) -> int:
    """The credits that belong to this refund. Those of all refunds of an invoice add up to what was granted."""
    granted = CreditGrant.objects.filter(account=payment.account, source__in=grant_sources(payment))
    credits_of_all = granted.values_list("amount", flat=True).first() or 0
    # A paid invoice has exactly its total settled.
    settled = payment.invoice.total
    return int(credits_of_all * payment.refunded_amount // settled) - int(credits_of_all * already // settled)


def _refunded_event(payment: Payment, credit_note: CreditNote) -> events.NewEvent:
    return transitions.payment_event(
        "payment.refunded",
        payment,
        credit_note.created_by_id,
        credit_note=credit_note.credit_note_number,
        amount=str(credit_note.amount),
        currency=credit_note.currency,
        reason=credit_note.reason,
        credits_taken_back=credit_note.credits_taken_back,
        credits_not_recovered=credit_note.credits_not_recovered,
    )
