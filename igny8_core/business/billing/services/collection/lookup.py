"""Find the payment behind a gateway's id, and first book the money that has come in for it."""

from igny8_core.business.billing.gateways import gateway_of
from igny8_core.business.billing.gateways.refusals import gateway_refusals
from igny8_core.business.billing.models import CAPTURED_STATUSES, Payment
from igny8_core.business.billing.services.collection.gateway_payments import payment_of_charge, sync_payment


def find_payment(payment_method: str, *, object_id: str = "", capture_id: str = "") -> Payment | None:
    """The payment with this PaymentIntent or order (`object_id`), or this Charge or capture (`capture_id`).

    None if it belongs to another product. Money that the gateway has taken is booked first, because a refund or
    dispute needs a captured payment.
    Raises UnknownObject, PaymentNotFound, GatewayUnavailable, GatewayMisconfigured.
    """
    known = _known(payment_method, object_id, capture_id)
    if known and known.status in CAPTURED_STATUSES:
        return known
    if not object_id:
        with gateway_refusals():
            charge = gateway_of(payment_method).charge_of_capture(capture_id)
        known = payment_of_charge(payment_method, charge)
        # PayPal does not always say which order a capture belongs to.
        object_id = charge.object_id or (known.gateway_object_id if known else "")
    return (sync_payment(payment_method, object_id) if object_id else None) or known


def _known(payment_method: str, object_id: str, capture_id: str) -> Payment | None:
    payments = Payment.objects.filter(payment_method=payment_method)
    by_object = payments.filter(gateway_object_id=object_id).first() if object_id else None
    return by_object or (payments.filter(gateway_capture_id=capture_id).first() if capture_id else None)
