"""What each message of the third gateway is news of."""

from igny8_core.business.billing.gateways.protocol import Handler, Kind, News

HANDLERS: dict[str, Handler] = {
    "paid": lambda message: News(Kind.ATTEMPT, object_id=message.object_id),
    "returned": lambda message: News(Kind.REFUND, object_id=message.object_id),
    "disputed": lambda message: News(Kind.DISPUTE, object_id=message.object_id),
}
