"""Other prices for customers who already have a plan: ordered by an operator, told in time, in force with a period.

The first period at the new price is decided when the customer is told, and the mail says that day. So what is promised
and what is invoiced are the same, and one who was not told keeps the old price.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from igny8_core.auth.locks import lock_free_accounts
from igny8_core.auth.models import BillingDriver, Plan, Subscription, SubscriptionStatus, User
from igny8_core.business.billing.errors import PriceChangeInForce, PriceChangeWithdrawn
from igny8_core.business.billing.locks import lock_price_change
from igny8_core.business.billing.models import PlanPriceChange, PriceChangeNotice, Renewal, RenewalStatus
from igny8_core.business.billing.pricing import next_period
from igny8_core.common import clock
from igny8_core.common.db import PreparedStatement, refusing, require_no_transaction, service_transaction
from igny8_core.common.errors import InvalidInput
from igny8_core.common.money import MAX_AMOUNT, amount_text, format_amount, minor_units
from igny8_core.events import services as events

BATCH = 500
MOST_NOTICE_DAYS = 365
# Customers whom a change concerns only later, because they took back an end, are told for so long.
TOLD_FOR = timedelta(days=400)
ANNOUNCED = "subscription.price_change_announced"
RUNNING = [SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE]
# Many may hold a price at once; who withdraws it waits for all of them.
HOLD = PreparedStatement(
    name="igny8_hold_price_changes",
    types=("bigint[]",),
    sql="SELECT id FROM igny8_plan_price_changes WHERE id = ANY ($1) AND withdrawn_at IS NULL FOR SHARE",
)


@service_transaction
def change_price(
    plan: Plan, price: Decimal, effective_on: date, notice_days: int | None = None, changed_by: User | None = None
) -> PlanPriceChange:
    """Order another price for the renewals of a plan that begin on `effective_on` or later.

    `notice_days`: how long before their first such period customers are told; None means
    settings.PRICE_CHANGE_NOTICE_DAYS, which is also the least. Raises InvalidInput naming what is wrong.
    """
    notice_days = settings.PRICE_CHANGE_NOTICE_DAYS if notice_days is None else notice_days
    _require_sensible(plan, price, effective_on, notice_days)
    taken = f"{plan.name} already has a change of price for {effective_on}. Choose another day."
    with refusing("igny8_plan_price_changes_once_a_day", InvalidInput(errors={"effective_on": [taken]})):
        change = PlanPriceChange.objects.create(
            plan=plan,
            price=price,
            currency=plan.currency,
            billing_cycle=plan.billing_cycle,
            effective_on=effective_on,
            notice_days=notice_days,
            created_by=changed_by,
        )
    facts = {"plan": plan.slug, "price": str(price), "currency": plan.currency, "effective_on": f"{effective_on}"}
    events.record(events.about("plan_price_change.created", change, changed_by, facts))
    return change


@service_transaction
def withdraw_price_change(change: PlanPriceChange, withdrawn_by: User | None = None) -> int:
    """Withdraw another price before the first period at it is invoiced. Everybody who was told of it is told of that.

    Returns how many are told. Raises PriceChangeInForce once a period was invoiced at this price or its day has come,
    PriceChangeWithdrawn if it was withdrawn before.
    """
    # The invoices' and the notices' transactions hold the row for the price that they write.
    change = lock_price_change(change.pk)
    if change.withdrawn_at:
        raise PriceChangeWithdrawn()
    is_invoiced = Renewal.objects.filter(price_change=change).exclude(status=RenewalStatus.WITHDRAWN).exists()
    if is_invoiced or change.effective_on <= clock.today():
        raise PriceChangeInForce()
    change.withdrawn_at, change.withdrawn_by = clock.now(), withdrawn_by
    change.save(update_fields=["withdrawn_at", "withdrawn_by"])
    notices = change.notices.filter(subscription__status__in=RUNNING).select_related("subscription__plan")
    told = [_event(change, notice, "subscription.price_change_withdrawn") for notice in notices.order_by("pk")]
    facts = {"plan": change.plan.slug, "price": str(change.price), "told": len(told)}
    events.record(events.about("plan_price_change.withdrawn", change, withdrawn_by, facts), *told)
    return len(told)


def hold_in_force(change_ids: Collection[int]) -> set[int]:
    """Of these changes of price, those that were not withdrawn; none is withdrawn until the transaction ends."""
    return {pk for (pk,) in HOLD.fetch_all([list(change_ids)])} if change_ids else set()


def announce_price_changes(batch: int = BATCH) -> int:
    """Tell everybody whom a change of price concerns and who was not told yet; returns how many.

    RuntimeError in a transaction.
    """
    require_no_transaction()
    told, oldest = 0, clock.today() - TOLD_FOR
    changes = PlanPriceChange.objects.filter(effective_on__gte=oldest, withdrawn_at=None).select_related("plan")
    for change in changes.order_by("effective_on", "pk"):
        last = 0
        while found := list(_untold(change).filter(pk__gt=last).order_by("pk").values_list("pk", "account_id")[:batch]):
            told += _announce(change, found)
            last = found[-1][0]
    return told


def _untold(change: PlanPriceChange) -> QuerySet[Subscription]:
    """The subscriptions that a change concerns and whose account was not told of it, nor of a later one.

    A customer who got the plan after the change was in force bought it at the price of that day.
    """
    notices = PriceChangeNotice.objects.filter(subscription=OuterRef("pk"), price_change__plan=change.plan_id)
    told = notices.filter(price_change__withdrawn_at=None)
    return Subscription.objects.filter(
        ~Exists(told.filter(price_change__effective_on__gte=change.effective_on)),
        plan=change.plan_id,
        status__in=RUNNING,
        billing_driver=BillingDriver.LOCAL,
        cancel_at_period_end=False,
        pending_plan=None,
        terms_currency=change.currency,
        terms_billing_cycle=change.billing_cycle,
        created_at__lt=datetime.combine(change.effective_on, time(), UTC),
        account__deleted_at=None,
    ).exclude(terms_price=change.price)


@transaction.atomic
def _announce(change: PlanPriceChange, found: Sequence[tuple[int, int]]) -> int:
    free = lock_free_accounts([account_id for _, account_id in found])
    if not hold_in_force([change.pk]):
        return 0
    ours = _untold(change).filter(pk__in=[pk for pk, _ in found], account_id__in=free)
    subscriptions = list(ours.select_related("plan"))
    renewed = _renewed_periods(subscriptions)
    notices = [
        PriceChangeNotice(
            price_change=change,
            subscription=subscription,
            account_id=subscription.account_id,
            applies_from=_first_period(subscription, change, renewed.get(subscription.pk, set())),
        )
        for subscription in subscriptions
    ]
    PriceChangeNotice.objects.bulk_create(notices)
    events.record(*(_event(change, notice) for notice in notices))
    return len(notices)


def _renewed_periods(subscriptions: Sequence[Subscription]) -> dict[int, set[datetime]]:
    """By subscription, the starts of its periods that are invoiced."""
    renewals = Renewal.objects.filter(subscription__in=subscriptions).exclude(status=RenewalStatus.WITHDRAWN)
    starts: dict[int, set[datetime]] = {}
    for pk, start in renewals.values_list("subscription_id", "period_start"):
        starts.setdefault(pk, set()).add(start)
    return starts


def _first_period(subscription: Subscription, change: PlanPriceChange, renewed: set[datetime]) -> datetime:
    """The start of the first period at the new price: not before the change's day, and told of in time.

    A period that is invoiced already keeps its price.
    """
    start, anchor = subscription.current_period_end, subscription.billing_anchor
    if start is None or anchor is None:
        raise RuntimeError("A running subscription has a period; a constraint holds that.")
    earliest = clock.now() + timedelta(days=change.notice_days)
    while start < earliest or start.date() < change.effective_on or start in renewed:
        period = next_period(anchor, start, change.billing_cycle)
        start, anchor = period.end, period.anchor
    return start


def _event(change: PlanPriceChange, notice: PriceChangeNotice, kind: str = ANNOUNCED) -> events.NewEvent:
    subscription = notice.subscription
    old_price = subscription.terms_price or Decimal(0)
    facts = {
        "plan": subscription.plan.slug,
        "plan_name": subscription.plan.name,
        "old_price": amount_text(old_price, change.currency),
        "new_price": amount_text(change.price, change.currency),
        "old_amount": format_amount(old_price, change.currency),
        "new_amount": format_amount(change.price, change.currency),
        "currency": change.currency,
        "billing_cycle": change.billing_cycle,
        "from": f"{notice.applies_from:%Y-%m-%d}",
    }
    return events.about(kind, subscription, None, facts)


def _require_sensible(plan: Plan, price: Decimal, effective_on: date, notice_days: int) -> None:
    wrong: dict[str, list[str]] = {}
    decimals = minor_units(plan.currency)
    exact = isinstance(price, Decimal) and price.is_finite() and price == round(price, decimals)
    if not exact or not 0 < price <= MAX_AMOUNT:
        wrong["price"] = [f"Expected an amount above zero in {plan.currency}, with at most {decimals} decimals."]
    least = settings.PRICE_CHANGE_NOTICE_DAYS
    if not least <= notice_days <= MOST_NOTICE_DAYS:
        wrong["notice_days"] = [f"Expected a number of days from {least} to {MOST_NOTICE_DAYS}."]
    if effective_on <= clock.today():
        wrong["effective_on"] = [f"Expected a day after today ({clock.today()}, UTC)."]
    if wrong:
        raise InvalidInput(errors=wrong)
