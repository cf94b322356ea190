"""Every dispute that payments noted in their metadata becomes a row of its own; the notes stay, and are read no more."""

import re
from decimal import Decimal
from typing import Any

from django.db import migrations
from django.db.models import Q

NOTED = Q(metadata__has_key="dispute") | Q(metadata__has_key="other_disputes")
GATEWAYS = {"stripe", "paypal"}
STATES = ("open", "won", "lost")
AMOUNT = re.compile(r"[0-9]{1,10}(\.[0-9]{1,4})?", re.ASCII)
CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


def carry_over(apps: Any, schema_editor: Any) -> None:
    """Make the rows. Raises ValueError, with the payment's id, for a note that says nothing that can be true."""
    for payment in apps.get_model("billing", "Payment").objects.filter(NOTED).order_by("pk").iterator():
        if payment.payment_method not in GATEWAYS:
            raise _nothing_true(payment, f"it was paid by {payment.payment_method}, which knows no disputes")
        if "dispute" in payment.metadata:
            _carry_first(apps, payment, payment.metadata["dispute"])
        others = payment.metadata.get("other_disputes", [])
        if not isinstance(others, list):
            raise _nothing_true(payment, f"other_disputes is {others!r}; a list of ids was expected")
        for dispute_id in others:
            # Of a second one only the id was kept: the daily comparison asks for the rest, because it has no amount.
            _make(apps, payment, dispute_id, "open")


def _carry_first(apps: Any, payment: Any, note: Any) -> None:
    if not isinstance(note, dict):
        raise _nothing_true(payment, f"dispute is {note!r}; an object was expected")
    amount, currency, status = str(note.get("amount")), str(note.get("currency")), note.get("status")
    if not AMOUNT.fullmatch(amount) or not Decimal(amount):
        raise _nothing_true(payment, f"the dispute's amount is {amount!r}; a number above zero was expected")
    if not CURRENCY.fullmatch(currency):
        raise _nothing_true(payment, f"the dispute's currency is {currency!r}; three capital letters were expected")
    if status not in STATES:
        raise _nothing_true(payment, f"the dispute's status is {status!r}; open, won or lost was expected")
    reason = str(note.get("reason") or "")[:500]
    _make(apps, payment, note.get("id"), status, amount=Decimal(amount), currency=currency, reason=reason)


def _make(apps: Any, payment: Any, dispute_id: Any, status: str, **facts: Any) -> None:
    disputes = apps.get_model("billing", "Dispute").objects.filter(gateway=payment.payment_method)
    if not isinstance(dispute_id, str) or not 0 < len(dispute_id) <= 100:
        raise _nothing_true(payment, f"a dispute's id is {dispute_id!r}; the gateway's id was expected")
    if known := disputes.filter(gateway_dispute_id=dispute_id).first():
        if known.payment_id != payment.pk:
            raise _nothing_true(payment, f"dispute {dispute_id} is noted by payment {known.payment_id}, too")
        return
    # A loss at Stripe was booked as a refund with the dispute's id: the surest sign of how it ended.
    booked = apps.get_model("billing", "Refund").objects.filter(payment=payment, gateway_refund_id=dispute_id).first()
    won = _event(apps, payment, "payment.dispute_won", dispute_id) if status == "won" and not booked else None
    opened = _event(apps, payment, "payment.disputed", dispute_id)
    disputes.create(
        account_id=payment.account_id,
        payment=payment,
        gateway=payment.payment_method,
        gateway_dispute_id=dispute_id,
        status="lost" if booked else status,
        refund=booked,
        closed_at=booked.finished_at if booked else won and won.created_at,
        **facts,
        **({"created_at": opened.created_at} if opened else {}),
    )


def _event(apps: Any, payment: Any, kind: str, dispute_id: str) -> Any:
    events = apps.get_model("events", "Event").objects.filter(object_type="billing.payment", object_id=str(payment.pk))
    return events.filter(type=kind, data__dispute_id=dispute_id).order_by("pk").first()


def _nothing_true(payment: Any, why: str) -> ValueError:
    return ValueError(
        f"Payment {payment.pk} notes in its metadata what cannot become a row of igny8_disputes: {why}. Compare it with "
        "the gateway's dashboard, correct igny8_payments.metadata of this payment, and migrate again."
    )


class Migration(migrations.Migration):
    dependencies = [("billing", "0017_guards_of_disputes"), ("events", "0003_append_only")]

    operations = [migrations.RunPython(carry_over, migrations.RunPython.noop)]
