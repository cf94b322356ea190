"""Invoice the next periods of subscriptions some days before their period ends, many at a time.

A batch is one transaction: it locks the accounts that nobody else holds, reads under the locks, and writes. A run that
is killed or that meets another one loses nothing and does nothing twice: what is missing is found by the next run, and
a constraint allows one renewal for a subscription and period.
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DataError, IntegrityError, transaction
from django.db.models import Count, Exists, F, OuterRef, Q

from igny8_core.auth.locks import lock_account, lock_free_accounts
from igny8_core.auth.models import BillingDriver, Subscription, SubscriptionStatus, Terms
from igny8_core.business.billing.models import Invoice, InvoiceStatus, PriceChangeNotice, Renewal, RenewalStatus
from igny8_core.business.billing.offers import offered_for
from igny8_core.business.billing.pricing import NextPeriod, next_period
from igny8_core.business.billing.services.dunning.calendar import local_time
from igny8_core.business.billing.services.invoices.lifecycle import billing_snapshot
from igny8_core.business.billing.services.renewals.price_changes import hold_in_force
from igny8_core.business.billing.services.renewals.writing import Draft, OfferSets, set_key, write
from igny8_core.business.billing.services.subscriptions.withdrawing import withdraw_voided
from igny8_core.common import clock
from igny8_core.common.batches import others_go_on
from igny8_core.common.db import PreparedStatement, require_no_transaction

logger = logging.getLogger(__name__)
BATCH = 500
# The next subscriptions whose period ends soon and is not renewed yet, after the one that was looked at last.
DUE = PreparedStatement(
    name="igny8_due_renewals",
    types=("timestamptz", "timestamptz", "bigint", "integer"),
    sql="""
        SELECT id, account_id, current_period_end FROM igny8_subscriptions subscription
        WHERE status = 'active' AND billing_driver = 'local' AND NOT cancel_at_period_end AND terms_price > 0
          AND current_period_end <= $1 AND (current_period_end, id) > ($2, $3)
          AND NOT EXISTS (SELECT FROM igny8_renewals renewal WHERE renewal.subscription_id = subscription.id
                          AND renewal.period_start = subscription.current_period_end
                          AND renewal.status <> 'withdrawn')
        ORDER BY current_period_end, id LIMIT $4
    """,
)
RENEWED = [SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE]
BEGINNING = datetime.fromisoformat("0001-01-01T00:00:00+00:00")


@dataclass(frozen=True)
class _Found:
    subscription_id: int
    account_id: int


def invoice_due_renewals(batch: int = BATCH) -> int:
    """Make the invoices of all renewals that are due; returns how many. RuntimeError in a transaction.

    A period that has begun while its invoice is void is invoiced anew: nobody goes on for nothing.
    """
    require_no_transaction()
    _withdraw_voided()
    until = clock.now() + timedelta(days=settings.RENEWAL_INVOICE_DAYS)
    last, last_id, made = BEGINNING, 0, 0
    while rows := DUE.fetch_all([until, last, last_id, batch]):
        last_id, _, last = rows[-1]
        made += _one_batch([_Found(row[0], row[1]) for row in rows])
    return made + sum(_one_batch([each]) for each in _past_due_without_invoice())


def invoice_renewal(subscription: Subscription) -> bool:
    """Make the invoice of one subscription's renewal now; False if it is not due, or somebody holds the account.

    RuntimeError in a transaction.
    """
    require_no_transaction()
    return _one_batch([_Found(subscription.pk, subscription.account_id)]) == 1


def _withdraw_voided() -> None:
    """Before its period begins, a voided invoice stays void until an operator has the renewal tried again."""
    begun = Q(status=RenewalStatus.OPEN, invoice__status=InvoiceStatus.VOID, period_start__lte=clock.now())
    voided = Renewal.objects.filter(begun, subscription__status__in=RENEWED)
    for pk, account_id in voided.order_by("pk").values_list("pk", "account_id"):
        with others_go_on("a voided renewal", renewal=pk), transaction.atomic():
            lock_account(account_id)
            renewal = voided.select_related("invoice").filter(account_id=account_id, pk=pk).first()
            if renewal:
                withdraw_voided(renewal)


def _past_due_without_invoice() -> list[_Found]:
    """Subscriptions that are past due while the invoice for the period that they owe is void.

    Few at any time. DUE reads only active ones, whose index it uses.
    """
    withdrawn = Renewal.objects.filter(subscription=OuterRef("pk"), period_start=OuterRef("current_period_end"))
    owing = Subscription.objects.filter(
        Exists(withdrawn.filter(status=RenewalStatus.WITHDRAWN)),
        status=SubscriptionStatus.PAST_DUE,
        billing_driver=BillingDriver.LOCAL,
        cancel_at_period_end=False,
        current_period_end__lte=clock.now(),
    )
    return [_Found(pk, account_id) for pk, account_id in owing.order_by("pk").values_list("pk", "account_id")]


def _one_batch(found: Sequence[_Found]) -> int:
    """Invoice a batch in one transaction. If a row does not fit its table, each subscription by itself."""
    try:
        with transaction.atomic():
            return _invoice(found)
    except (IntegrityError, DataError):
        if len(found) == 1:
            logger.exception("a renewal could not be invoiced", extra={"subscription": found[0].subscription_id})
            return 0
    return sum(_one_batch([each]) for each in found)


def _invoice(found: Sequence[_Found]) -> int:
    free = set(lock_free_accounts([each.account_id for each in found]))
    drafts = _drafts([each.subscription_id for each in found if each.account_id in free])
    if drafts:
        write(drafts, _offer_sets(drafts))
    return len(drafts)


def _drafts(subscription_ids: list[int]) -> list[Draft]:
    """What to invoice of these subscriptions, read under the locks of their accounts."""
    now = clock.now()
    renewed = Renewal.objects.filter(subscription=OuterRef("pk"), period_start=OuterRef("current_period_end"))
    due = Subscription.objects.filter(
        ~Exists(renewed.exclude(status=RenewalStatus.WITHDRAWN)),
        pk__in=subscription_ids,
        status__in=RENEWED,
        billing_driver=BillingDriver.LOCAL,
        cancel_at_period_end=False,
        terms_price__gt=0,
        current_period_end__lte=now + timedelta(days=settings.RENEWAL_INVOICE_DAYS),
        account__deleted_at=None,
    )
    beyond = _beyond_bound(subscription_ids, now)
    prices = _new_prices(subscription_ids)
    subscriptions = due.select_related("account__owner", "plan", "pending_plan")
    return [_draft(each, prices.get(each.pk, []), now) for each in subscriptions if each.pk not in beyond]


def _draft(subscription: Subscription, told: list[PriceChangeNotice], now: datetime) -> Draft:
    if subscription.terms is None or subscription.billing_anchor is None or subscription.current_period_end is None:
        raise RuntimeError("A running subscription has terms and a period; a constraint holds that.")
    plan, terms, change = subscription.plan, subscription.terms, None
    if subscription.pending_plan:
        plan, terms = subscription.pending_plan, subscription.pending_plan.terms
    period = next_period(subscription.billing_anchor, subscription.current_period_end, terms.billing_cycle)
    if not subscription.pending_plan:
        terms, change = _at_new_price(subscription, terms, period, told)
    return Draft(
        account_id=subscription.account_id,
        subscription_id=subscription.pk,
        plan=plan,
        terms=terms,
        period=period,
        # Days after it are counted where the customer is (docs/dunning.md).
        due_on=local_time(subscription.account, period.start).date(),
        snapshot=billing_snapshot(subscription.account),
        language=subscription.account.language,
        next_charge_at=_first_charge(period, now),
        price_change_id=change,
    )


def _at_new_price(
    subscription: Subscription, terms: Terms, period: NextPeriod, told: list[PriceChangeNotice]
) -> tuple[Terms, int | None]:
    """The terms with the newest price that the customer was told of in time, and the change that it comes from."""
    for notice in told:
        change = notice.price_change
        fits = (change.plan_id, change.currency, change.billing_cycle)
        if notice.applies_from <= period.start and fits == (subscription.plan_id, terms.currency, terms.billing_cycle):
            return replace(terms, price=change.price), change.pk
    return terms, None


def _first_charge(period: NextPeriod, now: datetime) -> datetime | None:
    is_old = now - period.start > timedelta(days=settings.RENEWAL_CHARGE_WITHIN_DAYS)
    return None if is_old else max(period.start, now)


def _new_prices(subscription_ids: list[int]) -> dict[int, list[PriceChangeNotice]]:
    """The changes of price that each customer was told of and does not have yet, newest first."""
    told = PriceChangeNotice.objects.filter(subscription__in=subscription_ids, applied_at=None)
    by_subscription: dict[int, list[PriceChangeNotice]] = {}
    notices = list(told.select_related("price_change").order_by("-price_change__effective_on", "-pk"))
    in_force = hold_in_force({notice.price_change_id for notice in notices})
    for notice in (each for each in notices if each.price_change_id in in_force):
        by_subscription.setdefault(notice.subscription_id, []).append(notice)
    return by_subscription


def _beyond_bound(subscription_ids: list[int], now: datetime) -> Collection[int]:
    """The subscriptions that got too many invoices within a day: a programming error would bill in a loop (AMT-12)."""
    recent = Invoice.objects.filter(subscription__in=subscription_ids, created_at__gt=now - timedelta(days=1))
    counted = recent.order_by().values(of=F("subscription_id")).annotate(invoices=Count("pk"))
    beyond = counted.filter(invoices__gte=settings.MAX_INVOICES_OF_SUBSCRIPTION_PER_DAY).values_list("of", flat=True)
    for subscription_id in beyond:
        logger.error("too many invoices of a subscription", extra={"subscription": subscription_id})
    return set(beyond)


def _offer_sets(drafts: Sequence[Draft]) -> OfferSets:
    return {key: offered_for(*key) for key in {set_key(draft) for draft in drafts}}
