"""Payments by bank or wallet: the customer confirms that they paid, an operator approves or rejects it."""

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
    MANUAL_METHODS,
    Invoice,
    Payment,
    PaymentProof,
    PaymentStatus,
    RejectionCode,
)
from igny8_core.business.billing.payment_repeats import fingerprints_of
from igny8_core.business.billing.selectors import proofs_of
from igny8_core.business.billing.services.payment_methods.availability import require_payable, required_offer_of
from igny8_core.business.billing.services.payment_states.transitions import reject, submit
from igny8_core.business.billing.services.payment_states.under_way import require_no_other_payment
from igny8_core.business.billing.services.payments.repeats import flag, flag_older_rows, found_repeats
from igny8_core.business.billing.services.settlement import Settlement, capture
from igny8_core.common import clock
from igny8_core.common.db import lock_text, refusing, service_transaction
from igny8_core.common.errors import InvalidInput
from igny8_core.common.money import InvalidAmount, amount_text, minor_units, read_amount
from igny8_core.common.references import folded_reference
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
    """Record a customer's confirmation that they paid an invoice by bank or wallet. An operator decides about it.

    `amount` must be exactly what is due (None: the invoice's total). A reference or proof that another live payment
    already has is accepted, and both payments are flagged; `metadata["duplicate_of"]` of this one names the other.
    `transferred_on` and `payer_name` are the day and the sender
    of the transfer, as the customer says. `proof` is an upload of the account that no other payment uses; it stays
    with this payment for good. An open attempt at a gateway is closed first.
    Raises InvoiceNotFound, InvoiceNotPayable, AmountMismatch, InvalidAmount (too many decimals), InvalidInput (a day
    on which nobody can have paid), PaymentMethodNotAvailable, ConfirmationAlreadyOpen, NoSuchProof, ProofAlreadyUsed.
    If an attempt at a gateway was paid, may be paid or cannot be closed: InvoicePaidMeanwhile, PaymentBeingChecked,
    AttemptNotClosed.
    """
    key, fold = reference_key(reference), reference_fold(reference)
    require_recent(transferred_on)
    fingerprints = fingerprints_of(proof)
    # If two accounts send the same transfer at the same moment, the second must find the first. The release before
    # takes the first of these locks only; it goes with that release.
    lock_text("payment reference", f"{payment_method}:{key}")
    lock_text("payment reference", fold)
    for fingerprint in fingerprints:
        lock_text("payment proof", fingerprint)
    account = lock_account(invoice.account_id)
    invoice = lock_invoice(account, invoice.pk)
    _require_payable(invoice, payment_method, read_amount(amount, invoice.currency))
    if proof is not None:
        proof = _unused(account, proof)
    require_no_other_payment(invoice)
    flag_older_rows()
    repeats = found_repeats(fold, fingerprints)
    with refusing("igny8_payments_one_under_way", ConfirmationAlreadyOpen()):
        payment = submit(
            account,
            invoice,
            submitted_by,
            payment_method=payment_method,
            manual_reference=reference,
            reference_key=key,
            reference_fold=fold,
            is_repeated=bool(repeats),
            manual_notes=notes,
            transferred_on=transferred_on,
            payer_name=payer_name,
            proof_url=proof_url,
            proof=proof,
            metadata={"duplicate_of": repeats[0]} if repeats else {},
        )
    flag(repeats)
    return payment


@service_transaction
def approve_manual_payment(
    payment: Payment, approved_by: User, *, admin_notes: str = "", override_duplicate: bool = False
) -> Settlement:
    """Approve a manual payment: the invoice is paid, subscription and account are active, credits are granted.

    All or nothing. A payment that is flagged as a duplicate needs `override_duplicate` and `admin_notes`.
    Raises PaymentNotPending if it is already decided, DuplicateReference, OwnAccountPayment, InvoiceNotPayable,
    SubscriptionNotPayable. For a change of plan: PlanChangeOutdated if its price has changed (order it again with
    subscriptions.decisions.order_again), PlanChangePeriodOver.
    """
    account = lock_account(payment.account_id)
    payment = lock_payment(account, payment.pk)
    return approve_locked(payment, approved_by, admin_notes, override_duplicate=override_duplicate)


def approve_locked(payment: Payment, approved_by: User, admin_notes: str, *, override_duplicate: bool) -> Settlement:
    """Approve a payment whose locks the caller holds. Raises what approve_manual_payment raises."""
    _require_undecided(payment, approved_by)
    if payment.is_flagged_duplicate and not (override_duplicate and admin_notes):
        raise DuplicateReference()
    return capture(payment, by=approved_by, admin_notes=admin_notes)


@service_transaction
def reject_manual_payment(
    payment: Payment,
    reason: str = "",
    rejected_by: User | None = None,
    *,
    reason_code: str = "",
    internal_note: str = "",
) -> Payment:
    """Reject a manual payment. The invoice stays open and the customer can confirm again.

    The customer reads the sentence of the `reason_code` (a RejectionCode) and the `reason`, in the mail and on the
    invoice's page. Without a code it is `other`, or `not_found` where no reason is given either. Only operators read
    the `internal_note`. `approved_by` and `approved_at` record who decided and when, as for an approval.
    Raises PaymentNotPending if it is already decided, OwnAccountPayment, InvalidInput as rejection_code does.
    """
    account = lock_account(payment.account_id)
    return reject_locked(lock_payment(account, payment.pk), reason, rejected_by, reason_code, internal_note)


def reject_locked(
    payment: Payment, reason: str, rejected_by: User | None, reason_code: str, internal_note: str
) -> Payment:
    """Reject a payment whose locks the caller holds. Raises what reject_manual_payment raises."""
    code = rejection_code(reason_code, reason)
    _require_undecided(payment, rejected_by)
    reject(payment, rejected_by, code, reason, internal_note)
    return payment


def rejection_code(reason_code: str, reason: str) -> RejectionCode:
    """The code of a rejection. Raises InvalidInput for an unknown code, and for `other` without a reason."""
    if not reason_code:
        return RejectionCode.OTHER if reason else RejectionCode.NOT_FOUND
    if reason_code not in RejectionCode.values:
        text = _("Choose one of these codes: %(codes)s.") % {"codes": ", ".join(RejectionCode.values)}
        raise InvalidInput(errors={"reason_code": [text]})
    if reason_code == RejectionCode.OTHER and not reason.strip():
        text = _("Write the reason that the customer reads, or choose another reason_code, which has a sentence.")
        raise InvalidInput(errors={"reason": [text]})
    return RejectionCode(reason_code)


def reference_key(reference: str) -> str:
    """A bank or wallet reference without case, spaces, dashes and full-width letters: what the release before compares.

    Raises InvalidInput if nothing is left.
    """
    key = folded(reference)
    if not key:
        text = _("Give the reference of your transfer, as the bank or wallet shows it.")
        raise InvalidInput(errors={"manual_reference": [text]})
    return key[:100]


def reference_fold(reference: str) -> str:
    """A bank or wallet reference as it is compared with others: common/references.py. Raises InvalidInput."""
    return folded_reference(reference) or reference_key(reference)


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
    due = amount_text(invoice.total, invoice.currency)
    # Comparing a signalling NaN would raise.
    if not isinstance(amount, Decimal) or amount.is_snan() or amount != invoice.total:
        raise AmountMismatch(errors={"amount": [_("Expected exactly %(due)s.") % {"due": due}]})
    # 89.000 equals 89.00 but has more decimals than dollars have, so it is refused (AMT-05).
    if -int(amount.as_tuple().exponent) > minor_units(invoice.currency):
        raise InvalidAmount(
            errors={"amount": [_("Write the amount with the currency's decimals: %(due)s.") % {"due": due}]}
        )


def _unused(account: Account, proof: PaymentProof) -> PaymentProof:
    """The account's proof, read under the account's lock. Raises NoSuchProof, ProofAlreadyUsed."""
    found = proofs_of(account).filter(pk=proof.pk).first()
    if found is None:
        raise NoSuchProof(errors={"proof": [NoSuchProof.text]})
    if hasattr(found, "payment"):
        raise ProofAlreadyUsed(errors={"proof": [ProofAlreadyUsed.text]})
    return found


def _require_undecided(payment: Payment, operator: User | None) -> None:
    if operator is not None and operator.account_id == payment.account_id:
        raise OwnAccountPayment()
    if payment.status != PaymentStatus.PENDING_APPROVAL:
        raise PaymentNotPending()
