"""What each message of a gateway leads to. A message is a hint at what to ask the gateway for, and never a fact.

Which news a message brings is in `handlers` of the gateway's folder. Everything here may be done in any order and any
number of times: what counts is what the gateway says when it is asked.
"""

from collections.abc import Callable

from igny8_core.business.billing.gateways import gateway_of, handler_of
from igny8_core.business.billing.gateways.protocol import Kind, News, UnknownObject, WebhookMessage
from igny8_core.business.billing.models import Payment
from igny8_core.business.billing.services.card_service import CardService
from igny8_core.business.billing.services.dispute_service import DisputeService
from igny8_core.business.billing.services.gateway_calls import gateway_refusals
from igny8_core.business.billing.services.gateway_payments import GatewayPaymentService
from igny8_core.business.billing.services.gateway_refunds import GatewayRefundService
from igny8_core.business.billing.services.settled_payments import settled_payment
from igny8_core.business.billing.services.subscription_mirror import SubscriptionMirrorService

Effect = Callable[[str, News], object | None]


def take_effect(payment_method: str, message: WebhookMessage) -> bool:
    """Do what a message of the gateway of this method leads to; False for one that is about nothing of ours.

    Raises PaymentNotFound where it names a payment that is not here (yet), GatewayUnavailable, GatewayMisconfigured,
    GatewayNotConfigured. RuntimeError in a transaction.
    """
    handler = handler_of(payment_method, message.type)
    if handler is None:
        return False
    news = handler(message)
    try:
        return EFFECTS[news.kind](payment_method, news) is not None
    except UnknownObject:
        return False


def _attempt(payment_method: str, news: News) -> Payment | None:
    if news.object_id:
        return GatewayPaymentService.sync(payment_method, news.object_id)
    return settled_payment(payment_method, capture_id=news.capture_id)


def _refund(payment_method: str, news: News) -> Payment | None:
    capture_id = news.capture_id
    if not news.object_id and not capture_id:
        with gateway_refusals():
            capture_id = gateway_of(payment_method).refund_with_id(news.refund_id).capture_id
    payment = settled_payment(payment_method, object_id=news.object_id, capture_id=capture_id)
    if payment and payment.gateway_object_id:
        GatewayRefundService.sync(payment)
    return payment


EFFECTS: dict[Kind, Effect] = {
    Kind.ATTEMPT: _attempt,
    Kind.REFUND: _refund,
    Kind.DISPUTE: lambda payment_method, news: DisputeService.sync(payment_method, news.object_id),
    Kind.CARD_SETUP: lambda _, news: CardService.save(news.object_id),
    Kind.CARD_GONE: lambda _, news: CardService.forget(news.object_id),
    Kind.SUBSCRIPTION: lambda _, news: SubscriptionMirrorService.sync(news.object_id),
    Kind.SUBSCRIPTION_INVOICE: lambda _, news: SubscriptionMirrorService.record_invoice(news.object_id),
}
