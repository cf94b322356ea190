"""Confirmations of who has the link of an invoice: the link is the key, and nobody is logged in."""

from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.utils.translation import gettext as _

from igny8_core.business.billing.errors import ConfirmationAlreadyOpen
from igny8_core.business.billing.models import MANUAL_METHODS, Invoice, Payment, PaymentStatus
from igny8_core.business.billing.payment_repeats import fold_of
from igny8_core.business.billing.services.payment_methods.availability import require_payable, required_offer_of
from igny8_core.business.billing.services.payments.offline import create_manual_payment, reference_fold, require_recent
from igny8_core.business.billing.services.proofs.uploads import upload_proof


@dataclass(frozen=True)
class TransferSaid:
    """What a payer says of their transfer."""

    payment_method: str
    reference: str
    transferred_on: date | None = None
    payer_name: str = ""
    notes: str = ""


def confirm_transfer(invoice: Invoice, said: TransferSaid, proof: bytes | None = None) -> Payment:
    """Record that the invoice was paid by bank or wallet; sent twice, the same payment is the answer both times.

    `proof` is the file that shows it. Nothing is kept of a confirmation that is refused.
    Raises ConfirmationAlreadyOpen where another one with another reference waits, and what create_manual_payment and
    upload_proof raise.
    """
    earlier = _same_one(invoice, said)
    if earlier:
        return earlier
    # Asked again under the lock. Here so that no file is read and stored for what is refused anyway.
    require_payable(invoice)
    required_offer_of(invoice, said.payment_method)
    require_recent(said.transferred_on)
    upload = upload_proof(invoice.account, None, proof) if proof else None
    try:
        return create_manual_payment(
            invoice,
            said.payment_method,
            said.reference,
            notes=said.notes,
            proof=upload,
            transferred_on=said.transferred_on,
            payer_name=said.payer_name,
        )
    except ConfirmationAlreadyOpen:
        # Sent twice at the same moment: the first one is the answer, and this one's file is deleted when it is old.
        earlier = _same_one(invoice, said)
        if earlier is None:
            raise
        return earlier


def open_confirmation(invoice: Invoice) -> Payment | None:
    """The confirmation of the invoice that waits for an operator."""
    return Payment.objects.filter(invoice=invoice, status=PaymentStatus.PENDING_APPROVAL).first()


def last_rejection(invoice: Invoice) -> Payment | None:
    """The confirmation that was not found on the statement, where nothing was tried since."""
    left_open = [PaymentStatus.PENDING, PaymentStatus.CANCELED]
    last = Payment.objects.filter(invoice=invoice).exclude(status__in=left_open).order_by("-pk").first()
    is_rejected = last is not None and last.payment_method in MANUAL_METHODS and last.status == PaymentStatus.FAILED
    return last if is_rejected else None


def _same_one(invoice: Invoice, said: TransferSaid) -> Payment | None:
    """The confirmation that waits, where it says the same. Raises ConfirmationAlreadyOpen where it says another."""
    waiting = open_confirmation(invoice)
    if waiting is None:
        return None
    if fold_of(waiting) != reference_fold(said.reference):
        text = _(
            "We are checking a payment with the reference %(reference)s already. "
            "If that reference is wrong, write to %(address)s."
        )
        raise ConfirmationAlreadyOpen(text % {"reference": waiting.manual_reference, "address": settings.SUPPORT_EMAIL})
    return waiting
