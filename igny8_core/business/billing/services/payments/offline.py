"""Payments by bank or wallet: what customers say they paid, and what operators decide about it."""

from datetime import date, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import Account, User
from igny8_core.business.billing.errors import (
    AmountMismatch,
    ConfirmationAlreadyOpen,
    DuplicateReference,
    NoSuchProof,
    OwnAccountPayment,
    PaymentMethodNotAvailable,
    PaymentNotPending,
    ProofAlreadyUsed,
)
from igny8_core.business.billing.locks import lock_invoice, lock_payment
from igny8_core.business.billing.models import (
    CAPTURED_STATUSES,
    MANUAL_METHODS,
    Invoice,
    Payment,
    PaymentProof,
    PaymentStatus,
)
from igny8_core.business.billing.selectors import proofs_of
from igny8_core.business.billing.services.payment_methods.availability import require_payable, required_offer_of
from igny8_core.business.billing.services.payment_states.transitions import reject, submit
from igny8_core.business.billing.services.payment_states.under_way import require_no_other_payment
from igny8_core.business.billing.services.settlement import Settlement, capture
from igny8_core.common import clock
from igny8_core.common.db import lock_text, refusing, service_transaction
from igny8_core.common.errors import InvalidInput
from igny8_core.common.money import InvalidAmount, format_amount, minor_units, read_amount
from igny8_core.common.text import folded

OLDEST_TRANSFER = timedelta(days=366)


@service_transaction
def create_manual_payment(
    invoice: Invoice,
    payment_method: str,
    reference: str,
    *,
    amount: Decimal | float | str | None = None,
    notes: str = "",
    proof_url: str = "",
    proof: PaymentProof | None = None,
    transferred_on: date | None = None,
    payer_name: str = "",
    submitted_by: User | None = None,
) -> Payment:
    """Record that a customer says they paid an invoice by bank or wallet; operators check it.

    `amount` must be what is due to the cent (None: the invoice's total). A reference that another live payment
    carries is accepted and flagged in `metadata["duplicate_of"]`.
    `transferred_on` and `payer_name` are the day and the sender of the transfer, as the customer says.
    `proof` is an upload of the account that no payment has used; it stays with this payment for good.
    An attempt at a gateway that is open is closed first.
    Raises InvoiceNotFound, InvoiceNotPayable, AmountMismatch, PaymentMethodNotAvailable, ConfirmationAlreadyOpen,
    NoSuchProof, ProofAlreadyUsed, InvalidInput for a day on which nobody can have paid, InvalidAmount for more
    decimals than the currency has; InvoicePaidMeanwhile, PaymentBeingChecked and AttemptNotClosed where an attempt
    was paid, may be, or cannot be closed.
    """
    key = reference_key(reference)
    require_recent(transferred_on)
    # Two accounts that send the same reference at the same moment must see each other.
    lock_text("payment reference", f"{payment_method}:{key}")
    account = lock_account(invoice.account_id)
    invoice = lock_invoice(account, invoice.pk)
    _require_payable(invoice, payment_method, read_amount(amount, invoice.currency))
    if proof is not None:
        proof = _unused(account, proof)
    require_no_other_payment(invoice)
    earlier = _live_payment_with(payment_method, key)
    with refusing("igny8_payments_one_under_way", ConfirmationAlreadyOpen()):
        return submit(
            account,
            invoice,
            submitted_by,
            payment_method=payment_method,
            manual_reference=reference,
            reference_key=key,
            manual_notes=notes,
            transferred_on=transferred_on,
            payer_name=payer_name,
            proof_url=proof_url,
            proof=proof,
            metadata={"duplicate_of": earlier.pk} if earlier else {},
        )


@service_transaction
def approve_manual_payment(
    payment: Payment, approved_by: User, *, admin_notes: str = "", override_duplicate: bool = False
) -> Settlement:
    """Accept a manual payment: invoice paid, subscription and account active, credits granted; all or nothing.

    Raises PaymentNotPending when it was decided already, DuplicateReference for a flagged payment without
    `override_duplicate` and `admin_notes`, OwnAccountPayment, InvoiceNotPayable, SubscriptionNotPayable; for a
    change of plan PlanChangeOutdated where it costs another amount by now (the order is made again with
    subscriptions.decisions.order_again), PlanChangePeriodOver.
    """
    account = lock_account(payment.account_id)
    payment = lock_payment(account, payment.pk)
    _require_undecided(payment, approved_by)
    if payment.is_flagged_duplicate and not (override_duplicate and admin_notes):
        raise DuplicateReference()
    return capture(payment, by=approved_by, admin_notes=admin_notes)


@service_transaction
def reject_manual_payment(payment: Payment, reason: str = "", rejected_by: User | None = None) -> Payment:
    """Refuse a manual payment; the invoice stays open and the customer can confirm again.

    `approved_by` and `approved_at` say who decided and when, as for an approval.
    Raises PaymentNotPending when it was decided already, OwnAccountPayment.
    """
    account = lock_account(payment.account_id)
    payment = lock_payment(account, payment.pk)
    _require_undecided(payment, rejected_by)
    reject(payment, rejected_by, reason)
    return payment


def reference_key(reference: str) -> str:
    """A bank or wallet reference without what people write differently: case, spaces, dashes, full-width forms."""
    key = folded(reference)
    if not key:
        text = "Give the reference of your transfer, as the bank or wallet shows it."
        raise InvalidInput(errors={"manual_reference": [text]})
    return key[:100]


def require_recent(transferred_on: date | None) -> None:
    """Refuse days on which nobody can have paid this. Raises InvalidInput."""
    # Where the payer is, it may be tomorrow already.
    latest = clock.today() + timedelta(days=1)
    if transferred_on and not latest - OLDEST_TRANSFER <= transferred_on <= latest:
        text = _("A day of the last twelve months is expected. Tell us once the money is sent.")
        raise InvalidInput(errors={"transferred_on": [text]})


def _require_payable(invoice: Invoice, payment_method: str, amount: Decimal | None) -> None:
    require_payable(invoice)
    if amount is not None:
        _require_exact(amount, invoice)
    if payment_method not in MANUAL_METHODS:
        raise PaymentMethodNotAvailable(errors={"payment_method": [PaymentMethodNotAvailable.text]})
    required_offer_of(invoice, payment_method)


def _require_exact(amount: Decimal, invoice: Invoice) -> None:
    due = f"{format_amount(invoice.total, invoice.currency)} {invoice.currency}"
    # A signalling NaN cannot even be compared.
    if not isinstance(amount, Decimal) or amount.is_snan() or amount != invoice.total:
        raise AmountMismatch(errors={"amount": [f"Expected exactly {due}."]})
    # 89.000 is as much, but no amount of dollars: strict money parsing takes the currency's own decimals (AMT-05).
    if -int(amount.as_tuple().exponent) > minor_units(invoice.currency):
        raise InvalidAmount(errors={"amount": [f"Write the amount with the decimals of the currency: {due}."]})


def _unused(account: Account, proof: PaymentProof) -> PaymentProof:
    """The account's proof as it is under the account's lock. Raises NoSuchProof, ProofAlreadyUsed."""
    found = proofs_of(account).filter(pk=proof.pk).first()
    if found is None:
        raise NoSuchProof(errors={"proof": [NoSuchProof.text]})
    if hasattr(found, "payment"):
        raise ProofAlreadyUsed(errors={"proof": [ProofAlreadyUsed.text]})
    return found


def _live_payment_with(payment_method: str, key: str) -> Payment | None:
    live = [PaymentStatus.PENDING_APPROVAL, *CAPTURED_STATUSES]
    repeats = Payment.objects.filter(payment_method=payment_method, reference_key=key, status__in=live)
    return repeats.order_by("pk").first()


def _require_undecided(payment: Payment, operator: User | None) -> None:
    if operator is not None and operator.account_id == payment.account_id:
        raise OwnAccountPayment()
    if payment.status != PaymentStatus.PENDING_APPROVAL:
        raise PaymentNotPending()
