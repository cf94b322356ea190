"""When gateways are asked again about payments and refunds that are not decided (FLT-12).

The first check is set with the payment or refund; polling then works through the pauses. After the last pause an
operator has to look.
"""

from datetime import timedelta

from igny8_core.business.billing.models import PaymentStatus

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# From the request, or from an answer that never came.
FIRST_CHECK = timedelta(minutes=5)
# From the gateway's answer that it is processing.
FIRST_PROCESSING_CHECK = HOUR
FIRST_REFUND_PROCESSING_CHECK = 6 * HOUR
# By status: the pauses between one check and the next.
PAYMENT_PAUSES: dict[str, list[timedelta]] = {
    PaymentStatus.PENDING: [HOUR, 5 * HOUR, 6 * HOUR, 12 * HOUR, 12 * HOUR],
    PaymentStatus.UNKNOWN: [HOUR, DAY, DAY, DAY, DAY, DAY],
    PaymentStatus.PROCESSING: [5 * HOUR, 18 * HOUR, *[DAY] * 13],
}
REFUND_PAUSES = [HOUR, DAY, DAY, DAY, DAY, DAY, *[2 * DAY] * 6]
# A customer's open attempt is closed after this time.
LEFT_OPEN_FOR = DAY
