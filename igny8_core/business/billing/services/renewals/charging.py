"""Charge saved cards for renewals when they are due, and again where the decline can pass.

The row is the queue's entry (common/work_queue.py), so two workers never charge one renewal, and the next one goes on
after a killed one. Each charge has a request key, so that one which was begun and not counted is not begun again.
"""

import logging
from datetime import datetime, timedelta

from django.db.models import F, Q
from django.utils.translation import gettext as _

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import AccountStatus, SuspendedReason
from igny8_core.business.billing.errors import (
    AuthenticationRequired,
    InvoiceNotPayable,
    NoSavedCard,
    PaymentDeclined,
    PaymentMethodNotAvailable,
    SavedMethodNotFound,
)
from igny8_core.business.billing.gateways import card_method, traits_of
from igny8_core.business.billing.models import AccountPaymentMethod, Payment, PaymentStatus, Renewal, RenewalStatus
from igny8_core.business.billing.services.collection.attempts import RENEWAL_KEY
from igny8_core.business.billing.services.payments.checkout import charge_saved_card
from igny8_core.common import clock
from igny8_core.common.db import service_transaction
from igny8_core.common.errors import DomainError
from igny8_core.common.work_queue import WorkQueue
from igny8_core.events import services as events
from igny8_core.events.models import Event

logger = logging.getLogger(__name__)
LEASE = timedelta(minutes=10)
# What is not the card's fault is tried again after an hour: the gateway did not answer, another payment is under way.
AGAIN = timedelta(hours=1)
A_DAY = timedelta(days=1)
# Failures that say nothing of the card: the attempt was closed, or never arrived at the gateway.
NO_DECLINES = frozenset({"", "canceled", "expired", "never_arrived"})
MOST_TAKES = 500
CARD_GONE = "card_gone"


def charge_due_renewals(limit: int = 200) -> int:
    """Charge at most `limit` renewals that are due; returns how many were tried. RuntimeError in a transaction."""
    return QUEUE.run(limit)


def charge_now(renewal: Renewal) -> Renewal:
    """Charge an open renewal at once, or count what came of the last charge; returns it as it is now.

    RuntimeError in a transaction.
    """
    taken = QUEUE.take_now(renewal) if _schedule(renewal, clock.now()) else None
    if taken:
        QUEUE.attempt(taken)
    return Renewal.objects.select_related("invoice").get(account_id=renewal.account_id, pk=renewal.pk)


def handle(event: Event) -> None:
    """Charge a new card for renewals that are due and unpaid. The outbox calls this at least once per event."""
    due = Renewal.objects.filter(account=event.account, status=RenewalStatus.OPEN, period_start__lte=clock.now())
    before = Q(last_charged_at=None) | Q(last_charged_at__lt=event.created_at)
    for renewal in due.filter(before).order_by("pk"):
        _schedule(renewal, clock.now())


def _charge(renewal: Renewal) -> None:
    """One charge, and when the next one is. It never raises because of the card or the gateway."""
    now, account = clock.now(), renewal.account
    held = account.status == AccountStatus.SUSPENDED and account.suspended_reason == SuspendedReason.OPERATOR
    if renewal.period_start > now or held:
        _again(renewal, now + A_DAY if held else renewal.period_start)
    elif renewal.status != RenewalStatus.OPEN or account.default_payment_method != card_method():
        # Who has chosen a bank transfer is not charged to a card of before.
        _again(renewal, None)
    else:
        # Noted before the gateway is asked: a card that is saved from now on is news.
        Renewal.objects.filter(pk=renewal.pk).update(last_charged_at=now)
        _ask(renewal)


def _ask(renewal: Renewal) -> None:
    # The same key until the decline is counted: after a killed worker, the first attempt answers and none is begun.
    key = f"{RENEWAL_KEY}{renewal.pk}:{renewal.last_attempt_id or 0}"
    try:
        attempt = charge_saved_card(renewal.invoice, card=_newer_card(renewal), request_key=key)
    except (NoSavedCard, InvoiceNotPayable, PaymentMethodNotAvailable):
        # The customer pays in another way, or a new card makes it due again.
        _again(renewal, None)
    except (PaymentDeclined, AuthenticationRequired):
        _count_decline(renewal, key)
    except SavedMethodNotFound:
        _note_missing_card(renewal)
    except DomainError as refusal:
        logger.warning("a renewal waits", extra={"renewal": renewal.pk, "code": refusal.code})
        _again(renewal, clock.now() + AGAIN)
    else:
        # While it is undecided, the outcome is looked at again. One that is paid is out of the queue.
        _again(renewal, None if attempt.payment.status == PaymentStatus.SUCCEEDED else clock.now() + AGAIN)


def _newer_card(renewal: Renewal) -> AccountPaymentMethod | None:
    """A card that was saved after the last decline; it is charged even if the declined one is still the default."""
    if renewal.last_attempt is None:
        return None
    cards = AccountPaymentMethod.objects.filter(account_id=renewal.account_id, type=card_method(), is_enabled=True)
    newer = cards.exclude(gateway_method_id="").filter(created_at__gt=renewal.last_attempt.created_at)
    return newer.order_by("-pk").first()


@service_transaction
def _count_decline(renewal: Renewal, key: str) -> None:
    """Count the declined charge that has this request key. It is tried again if its code says that this can help."""
    lock_account(renewal.account_id)
    payment = Payment.objects.filter(account_id=renewal.account_id, request_key=key).first()
    counted = Renewal.objects.filter(pk=renewal.pk, status=RenewalStatus.OPEN).first()
    if payment is None or counted is None or (counted.last_attempt_id or 0) >= payment.pk:
        return
    code, counted.last_attempt = str(payment.metadata.get("failure_code", "")), payment
    if code in NO_DECLINES:
        counted.next_charge_at = clock.now() + AGAIN
        counted.save(update_fields=["last_attempt", "next_charge_at"])
        return
    pauses = traits_of(payment.payment_method).passing_declines.get(code, ())
    next_at = clock.now() + pauses[counted.declines] if counted.declines < len(pauses) else None
    counted.last_decline, counted.declines, counted.next_charge_at = code[:100], counted.declines + 1, next_at
    counted.save(update_fields=["last_attempt", "last_decline", "declines", "next_charge_at"])
    events.record(_failed_event(counted, code, payment.failure_reason, next_at))


@service_transaction
def _note_missing_card(renewal: Renewal) -> None:
    """The gateway no longer has the card: the customer is told, and nothing is tried again."""
    lock_account(renewal.account_id)
    opened = Renewal.objects.filter(pk=renewal.pk, status=RenewalStatus.OPEN)
    if opened.update(next_charge_at=None, last_decline=CARD_GONE, declines=F("declines") + 1):
        events.record(_failed_event(renewal, CARD_GONE, _("The card can no longer be used. Use another card."), None))


@service_transaction
def _schedule(renewal: Renewal, moment: datetime) -> bool:
    """Make an open renewal due at `moment`, with all its retries; False if it is not open any more."""
    lock_account(renewal.account_id)
    opened = Renewal.objects.filter(account_id=renewal.account_id, pk=renewal.pk, status=RenewalStatus.OPEN)
    return bool(opened.update(next_charge_at=moment, charge_takes=0, declines=0))


def _again(renewal: Renewal, moment: datetime | None) -> None:
    """Set when a renewal that this worker took is charged next, unless somebody has decided that meanwhile."""
    taken = Renewal.objects.filter(pk=renewal.pk, status=RenewalStatus.OPEN, next_charge_at=renewal.next_charge_at)
    taken.update(next_charge_at=moment)


def _give_up(renewal: Renewal, error: str) -> None:
    if QUEUE.close(renewal):
        logger.error("a renewal is not charged any more", extra={"renewal": renewal.pk, "error": error})


def _failed_event(renewal: Renewal, code: str, reason: str, next_at: datetime | None) -> events.NewEvent:
    facts = {
        "code": code,
        "reason": reason,
        "declines": renewal.declines,
        "next_charge_at": f"{next_at:%Y-%m-%dT%H:%M:%SZ}" if next_at else None,
    }
    return events.about("renewal.charge_failed", renewal, None, facts)


QUEUE = WorkQueue(
    name="renewal",
    rows=Renewal.objects.select_related("account", "invoice__account", "last_attempt"),
    lease=LEASE,
    work=_charge,
    pauses=lambda _: [AGAIN] * MOST_TAKES,
    give_up=_give_up,
    state=None,
    due_at="next_charge_at",
    attempts="charge_takes",
    error=None,
)
