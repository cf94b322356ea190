"""An approval of many overrides only what the page showed: a repeat of a transfer that came later is refused."""

from collections.abc import Collection

from django.utils.translation import gettext as _

from igny8_core.business.billing.errors import RepeatedMeanwhile
from igny8_core.business.billing.models import Payment
from igny8_core.business.billing.payment_repeats import ids_of_repeats


def require_seen(payment: Payment, seen: Collection[int]) -> None:
    """Refuse a payment of whose transfer another one has come since the page was shown. Raises RepeatedMeanwhile.

    The payment is locked, so what comes later waits for the decision.
    """
    now = ids_of_repeats([payment]).get(payment.pk, [])
    if not {*now} <= {*seen}:
        then = _("Then: %(before)s. Now: %(now)s.") % {"before": _named(seen), "now": _named(now)}
        raise RepeatedMeanwhile(f"{_(RepeatedMeanwhile.text)} {then}")


def _named(payments: Collection[int]) -> str:
    listed = ", ".join(str(pk) for pk in sorted(payments))
    return _("payments %(payments)s") % {"payments": listed} if payments else _("none")
