"""What to do about each webhook message. A message says what to ask the gateway about; its content is not believed.

The `handlers` module in each gateway's folder says what a message is about. Everything here is safe in any order and
any number of times, because the gateway's own answer counts.
"""

from collections.abc import Callable

from igny8_core.business.billing.gateways import gateway_of, handler_of
from igny8_core.business.billing.gateways.protocol import Kind, News, UnknownObject, WebhookMessage
from igny8_core.business.billing.gateways.refusals import gateway_refusals
from igny8_core.business.billing.models import Payment
from igny8_core.business.billing.services.collection.gateway_payments import sync_payment
from igny8_core.business.billing.services.collection.lookup import find_payment
from igny8_core.business.billing.services.payment_methods.cards import forget_card, save_card
from igny8_core.business.billing.services.refunds.disputes import sync_dispute
from igny8_core.business.billing.services.refunds.gateway_refunds import sync_refunds
from igny8_core.business.billing.services.stripe_billing.invoices import record_invoice
from igny8_core.business.billing.services.stripe_billing.subscriptions import sync_subscription

Effect = Callable[[str, News], object | None]


def handle_message(payment_method: str, message: WebhookMessage) -> bool:
    """Act on a webhook message of this method's gateway; False if it is about nothing of ours.

    Raises PaymentNotFound if it names a payment that does not exist here (yet), UnmatchedAtGateway, GatewayUnavailable,
    GatewayMisconfigured, GatewayNotConfigured. RuntimeError in a transaction.
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
        return sync_payment(payment_method, news.object_id)
    return find_payment(payment_method, capture_id=news.capture_id)


def _refund(payment_method: str, news: News) -> Payment | None:
    capture_id = news.capture_id
    if not news.object_id and not capture_id:
        with gateway_refusals():
            capture_id = gateway_of(payment_method).refund_with_id(news.refund_id).capture_id
    payment = find_payment(payment_method, object_id=news.object_id, capture_id=capture_id)
    if payment and payment.gateway_object_id:
        sync_refunds(payment)
    return payment


EFFECTS: dict[Kind, Effect] = {
    Kind.ATTEMPT: _attempt,
    Kind.REFUND: _refund,
    Kind.DISPUTE: lambda payment_method, news: sync_dispute(payment_method, news.object_id),
    Kind.CARD_SETUP: lambda _, news: save_card(news.object_id),
    Kind.CARD_GONE: lambda _, news: forget_card(news.object_id),
    Kind.SUBSCRIPTION: lambda _, news: sync_subscription(news.object_id),
    Kind.SUBSCRIPTION_INVOICE: lambda _, news: record_invoice(news.object_id),
}
