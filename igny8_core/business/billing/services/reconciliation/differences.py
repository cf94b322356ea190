"""The differences that the daily comparison finds. Operators see each as an event, and as a review if it is open."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import Account, Subscription
from igny8_core.business.billing.locks import lock_payment
from igny8_core.business.billing.models import Payment
from igny8_core.business.billing.services.payment_states.transitions import flag_for_review
from igny8_core.common import clock
from igny8_core.common.db import service_transaction
from igny8_core.common.errors import DomainError
from igny8_core.events import services as events
from igny8_core.events.models import Event

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Difference:
    """Something on which a gateway's records and ours differ. `is_healed`: our records now follow the gateway's.

    `kind` is one of "amount", "currency", "state", "refunds", "dispute", "missing_here", "missing_there",
    "subscription" and "not_checked". `subject` is the object whose console page shows it: the payment or subscription,
    otherwise the account, if there is one.
    """

    gateway: str
    object_id: str
    kind: str
    text: str
    subject: Payment | Subscription | Account | None = None
    is_healed: bool = False


@contextmanager
def noted(found: list[Difference], gateway: str, object_id: str) -> Iterator[None]:
    """Turn a refusal about one object into a "not_checked" difference, so that the others are still compared."""
    try:
        yield
    except DomainError as problem:
        found.append(Difference(gateway, object_id, "not_checked", problem.text))


def report(difference: Difference) -> None:
    """Log a difference, record it as an event of its subject, and flag its payment for review if it is not healed."""
    logger.log(
        logging.WARNING if difference.is_healed else logging.ERROR,
        "gateway difference",
        extra={
            "gateway": difference.gateway,
            "gateway_object": difference.object_id,
            "kind": difference.kind,
            "healed": difference.is_healed,
        },
    )
    if difference.subject:
        _record(difference, difference.subject)


@service_transaction
def _record(difference: Difference, subject: Payment | Subscription | Account) -> None:
    account = lock_account(subject.pk if isinstance(subject, Account) else subject.account_id)
    if isinstance(subject, Payment) and not difference.is_healed:
        payment = lock_payment(account, subject.pk)
        if not payment.needs_review:
            flag_for_review(payment, f"{difference.object_id}, {difference.kind}: {difference.text}")
    midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    facts = {
        "gateway": difference.gateway,
        "gateway_object": difference.object_id,
        "kind": difference.kind,
        "healed": difference.is_healed,
    }
    told = Event.objects.filter(
        type="gateway.difference",
        object_type=subject._meta.label_lower,
        object_id=str(subject.pk),
        created_at__gte=midnight,
        data__contains=facts,
    )
    if not told.exists():
        facts["text"] = difference.text
        events.record(events.about("gateway.difference", subject, None, facts))
