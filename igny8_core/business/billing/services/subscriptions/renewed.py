"""A paid renewal begins its period: at the later of its payment and the period's start.

Who pays early keeps the running period and its credits until its end; the next one's credits come with its start. Who
pays late gets the period that was invoiced, so that periods touch without gap or overlap. The caller holds the
account's lock.
"""

from datetime import datetime

from django.utils.translation import gettext as _

from igny8_core.auth.models import (
    SUBSCRIPTION_TRANSITIONS,
    Plan,
    Subscription,
    SubscriptionStatus,
    Terms,
    terms_columns,
)
from igny8_core.business.billing.errors import SubscriptionNotPayable
from igny8_core.business.billing.models import (
    RENEWAL_TRANSITIONS,
    Invoice,
    Renewal,
    RenewalStatus,
)
from igny8_core.business.billing.pricing import next_period
from igny8_core.business.billing.services.subscriptions.transitions import (
    give_plan,
    limit_facts,
    plan_facts,
    subscription_event,
)
from igny8_core.common.db import PreparedStatement
from igny8_core.common.set_writes import handed_over
from igny8_core.common.states import change, transition
from igny8_core.events import services as events

# Customers who were told of a new price have it from a period on; each parameter is an array.
APPLY_NOTICES = PreparedStatement(
    name="igny8_apply_price_change_notices",
    types=("bigint[]", "timestamptz[]", "timestamptz[]"),
    sql="""
        UPDATE igny8_price_change_notices notice SET applied_at = begun.at
        FROM unnest($1, $2, $3) AS begun (subscription_id, period_start, at)
        WHERE notice.subscription_id = begun.subscription_id AND notice.applied_at IS NULL
          AND notice.applies_from <= begun.period_start
        RETURNING notice.id
    """,
)
RUNNING = frozenset({SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE})


def renewal_paid_by(invoice: Invoice, subscription: Subscription) -> Renewal | None:
    """The renewal that an invoice was made for; None for an invoice that was made by hand.

    Raises SubscriptionNotPayable if its period cannot begin any more.
    """
    renewal = invoice.renewal_paid
    if renewal and (renewal.status == RenewalStatus.WITHDRAWN or subscription.status not in RUNNING):
        raise SubscriptionNotPayable()
    return renewal


def keep_until_start(renewal: Renewal, actor: events.Actor) -> None:
    """The renewal was paid before its period: nothing changes until that begins."""
    transition(renewal, RenewalStatus.PAID, RENEWAL_TRANSITIONS, next_charge_at=None)
    events.record(events.about("renewal.paid", renewal, actor, _period_facts(renewal)))


def begin_renewed(
    subscription: Subscription,
    renewal: Renewal,
    sold: tuple[Plan, Terms],
    now: datetime,
    reference: str,
    actor: events.Actor,
) -> None:
    """Begin the period that a paid renewal sells. `sold`: the plan and terms of its line.

    Raises SubscriptionNotPayable if it does not follow the subscription's period.
    """
    plan, terms = sold
    if subscription.current_period_end != renewal.period_start or subscription.billing_anchor is None:
        raise SubscriptionNotPayable(
            _("The period of this renewal does not follow the subscription's period any more.")
        )
    period = next_period(subscription.billing_anchor, renewal.period_start, terms.billing_cycle)
    columns = {
        "plan": plan,
        "billing_anchor": period.anchor,
        "current_period_start": renewal.period_start,
        "current_period_end": renewal.period_end,
        "external_payment_id": reference,
        **terms_columns(terms),
    }
    if subscription.pending_plan_id == plan.pk:
        columns["pending_plan"] = None
    before = subscription.plan
    _save(subscription, columns, actor)
    transition(renewal, RenewalStatus.BEGUN, RENEWAL_TRANSITIONS, begun_at=now, next_charge_at=None)
    events.record(
        events.about("renewal.begun", renewal, actor, _period_facts(renewal)),
        subscription_event("subscription.renewed", subscription, actor, plan_facts(plan) | _period_facts(renewal)),
    )
    if before.pk != plan.pk:
        facts = plan_facts(before, "from") | plan_facts(plan, "to") | limit_facts(terms)
        events.record(subscription_event("subscription.plan_changed", subscription, actor, facts))
        give_plan(subscription)
    applied = [subscription.pk, renewal.period_start, now]
    if not handed_over(APPLY_NOTICES, applied, writes_each=False):
        APPLY_NOTICES.run([[value] for value in applied])


def _save(subscription: Subscription, columns: dict[str, object], actor: events.Actor) -> None:
    if subscription.status == SubscriptionStatus.PAST_DUE:
        transition(subscription, SubscriptionStatus.ACTIVE, SUBSCRIPTION_TRANSITIONS, **columns)
        facts = plan_facts(subscription.plan)
        events.record(subscription_event("subscription.activated", subscription, actor, facts))
        return
    change(subscription, **columns)


def _period_facts(renewal: Renewal) -> dict[str, str]:
    ends = {"period_start": renewal.period_start, "period_end": renewal.period_end}
    return {name: f"{moment:%Y-%m-%dT%H:%M:%SZ}" for name, moment in ends.items()}
