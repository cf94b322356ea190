"""Which approvals an operator confirms with password or code: those of large amounts."""

from django.conf import settings

from igny8_core.business.billing.models import Payment


def is_large(payment: Payment) -> bool:
    """Whether approving this payment needs a confirmation, by settings.CONFIRM_APPROVALS_ABOVE.

    A currency that the setting does not name has no amount that is small.
    """
    amounts = settings.CONFIRM_APPROVALS_ABOVE
    return bool(amounts) and payment.amount > amounts.get(payment.currency, 0)
