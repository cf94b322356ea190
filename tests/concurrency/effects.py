"""What a decision about a payment leaves behind."""

from decimal import Decimal

from igny8_core.business.billing.models import CreditGrant, CreditNote, CreditTransaction, Payment
from igny8_core.events.models import Event


def effects_of(payment: Payment) -> dict[str, object]:
    """States and counts around a payment, as they are in the database now."""
    payment = Payment.objects.select_related("invoice__subscription", "account").get(pk=payment.pk)
    subscription = payment.invoice.subscription
    events = Event.objects.filter(object_type="billing.payment", object_id=str(payment.pk))
    return {
        "payment": payment.status,
        "invoice": payment.invoice.status,
        "subscription": subscription.status if subscription else None,
        "account": payment.account.status,
        "credits": payment.account.credits,
        "grants": CreditGrant.objects.filter(account=payment.account).count(),
        "ledger rows": CreditTransaction.objects.filter(account=payment.account).count(),
        "payment.approved": events.filter(type="payment.approved").count(),
        "payment.rejected": events.filter(type="payment.rejected").count(),
    }


APPROVED: dict[str, object] = {
    "payment": "succeeded",
    "invoice": "paid",
    "subscription": "active",
    "account": "active",
    "credits": 1000,
    "grants": 1,
    "ledger rows": 1,
    "payment.approved": 1,
    "payment.rejected": 0,
}
WAITING: dict[str, object] = {
    "payment": "pending_approval",
    "invoice": "pending",
    "subscription": "pending_payment",
    "account": "pending_payment",
    "credits": 0,
    "grants": 0,
    "ledger rows": 0,
    "payment.approved": 0,
    "payment.rejected": 0,
}
REJECTED = WAITING | {"payment": "failed", "payment.rejected": 1}


def books_of(payment: Payment) -> dict[str, object]:
    """What was refunded, as payment, credit notes and ledger tell it."""
    payment = Payment.objects.select_related("account").get(pk=payment.pk)
    notes = list(CreditNote.objects.filter(payment=payment).order_by("pk"))
    ledger = CreditTransaction.objects.filter(account=payment.account, transaction_type="refund")
    numbers = [int(note.credit_note_number[-4:]) for note in notes]
    return {
        "status": payment.status,
        "refunded": payment.refunded_amount,
        "notes": sum((note.amount for note in notes), Decimal(0)),
        "numbers": sorted(numbers) == list(range(1, len(notes) + 1)),
        "credits": sum(note.credits_taken_back for note in notes),
        "ledger": -sum(entry.amount for entry in ledger),
        "balance": payment.account.credits,
    }


ALL_REFUNDED: dict[str, object] = {
    "status": "refunded",
    "refunded": Decimal(89),
    "notes": Decimal(89),
    "numbers": True,
    "credits": 1000,
    "ledger": 1000,
    "balance": 0,
}
