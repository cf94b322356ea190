"""What a change of plan costs and when it takes effect. The preview, upgrade and downgrade use the same quote."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from igny8_core.auth.models import Account, BillingCycle, BillingDriver, Plan, Subscription, SubscriptionStatus, Terms
from igny8_core.auth.selectors import OverLimit, over_limits, public_plans
from igny8_core.business.billing.errors import (
    ChangeBelowZero,
    OverLimits,
    PlanChangeOutdated,
    PlanChangePeriodOver,
    PlanNotOffered,
    PriceMoved,
    RenewalPaid,
    SamePlan,
    SubscriptionEnding,
    SubscriptionLapsed,
    SubscriptionNotActive,
)
from igny8_core.business.billing.models import PLAN_LINES, UNUSED_TIME, Invoice, InvoiceLine, LineKind
from igny8_core.business.billing.pricing import (
    Period,
    charged_time,
    checked_lines,
    period_end,
    plan_change_lines,
    plan_line,
    plan_line_of,
    sold_terms,
    subtotal,
    unused_time,
)
from igny8_core.business.billing.selectors import live_subscription_of, undecided_renewal_of
from igny8_core.business.billing.services.subscriptions.paid_time import paid_parts
from igny8_core.business.billing.services.subscriptions.transitions import require_billed_here
from igny8_core.common import clock
from igny8_core.common.languages import in_language
from igny8_core.common.money import amount_text
from igny8_core.common.written import count_text


class ChangeKind(StrEnum):
    """How an ordered plan compares with the account's current one."""

    ORDER = "order"
    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"


@dataclass(frozen=True)
class Agreed:
    """The amounts that a customer was shown before they agreed to a change; None where they were shown none.

    `quoted_at`: when they were shown, if that is so short ago that they hold.
    """

    total: Decimal | None = None
    renewal_amount: Decimal | None = None
    quoted_at: datetime | None = None


@dataclass(frozen=True)
class Quote:
    """What changing to `plan` means: `lines` are invoiced now, `credits` are granted when the invoice is paid.

    `effective_at` None: when the invoice is paid. `renews_at` None: one period after that. `over_limits`: where the
    account's usage exceeds the new plan today; a downgrade can still be ordered, and is checked when it takes effect.
    """

    kind: ChangeKind
    plan: Plan
    lines: list[dict[str, Any]] = field(default_factory=list)
    credits: int = 0
    effective_at: datetime | None = None
    renews_at: datetime | None = None
    over_limits: list[OverLimit] = field(default_factory=list)
    quote_token: str = ""

    @property
    def total(self) -> Decimal:
        """What is due now."""
        return subtotal(self.lines)

    @property
    def currency(self) -> str:
        """ISO 4217."""
        return self.plan.currency

    def require_agreed(self, agreed: Agreed) -> None:
        """Refuse what would cost more than the customer agreed to, now or later. Raises PriceMoved with both amounts.

        A lower amount is no reason to ask again: time that passes makes most changes cheaper by the minute.
        """
        shown = {
            "expected_total": (agreed.total, self.total),
            "expected_renewal_amount": (agreed.renewal_amount, self.plan.price),
        }
        errors = {
            name: [price_moved_text(seen, now, self.currency)]
            for name, (seen, now) in shown.items()
            if seen is not None and now > seen
        }
        if errors:
            raise PriceMoved(" ".join([_(PriceMoved.text), *(texts[0] for texts in errors.values())]), errors=errors)


def quote(account: Account, plan: Plan, now: datetime | None = None) -> Quote:
    """What ordering `plan` now would mean for the account. Changes nothing.

    Raises PlanNotOffered if the plan cannot be ordered, SamePlan, SubscriptionBilledByStripe, SubscriptionNotActive if
    the subscription waits for payment or is past due, SubscriptionEnding if it is set to end, SubscriptionLapsed if its
    period is over, RenewalPaid if the next one is paid already, ChangeBelowZero if the unused time is worth more than
    the change costs.
    """
    require_offered(plan)
    subscription = live_subscription_of(account)
    if subscription is None:
        with in_language(account.language):
            line = plan_line(plan)
        return Quote(ChangeKind.ORDER, plan, [line], line["credits"], over_limits=over_limits(account, plan))
    return quote_change(subscription, plan, now or clock.now())


def quote_as_shown(subscription: Subscription, plan: Plan, agreed: Agreed, now: datetime) -> Quote:
    """Like quote_change. What costs more by now than was shown a moment ago is quoted as of that moment.

    Rounding lets the price of a change go up by a cent while somebody reads it.
    """
    change = quote_change(subscription, plan, now)
    costs_more = agreed.total is not None and change.total > agreed.total
    return quote_change(subscription, plan, agreed.quoted_at) if costs_more and agreed.quoted_at else change


def quote_change(subscription: Subscription, plan: Plan, now: datetime) -> Quote:
    """Like quote(), for a live subscription. Money that is still here counts as paid (see paid_time)."""
    require_changeable(subscription, now)
    terms = terms_in_force(subscription)
    if (plan.pk, plan.billing_cycle) == (subscription.plan_id, terms.billing_cycle):
        raise SamePlan()
    period = running_period(subscription, now)
    if plan.currency != terms.currency:
        raise PlanNotOffered(
            _(
                "The plan %(plan)s is sold in %(currency)s, but your plan is paid in %(paid_currency)s. "
                "Cancel your plan first, then order the other one."
            )
            % {"plan": plan.name, "currency": plan.currency, "paid_currency": terms.currency}
        )
    exceeded = over_limits(subscription.account, plan)
    if not _is_above(plan, terms):
        return Quote(ChangeKind.DOWNGRADE, plan, effective_at=period.end, renews_at=period.end, over_limits=exceeded)
    with in_language(subscription.account.language):
        sold = plan_change_lines(terms, subscription.plan, plan, period, paid_parts(subscription))
    lines = checked_lines(sold, plan.currency)
    _require_something_due(lines, subscription.plan, plan, period)
    restarts = plan.billing_cycle != terms.billing_cycle
    renews_at = period_end(now, 1, plan.billing_cycle) if restarts else period.end
    return Quote(ChangeKind.UPGRADE, plan, lines, lines[-1]["credits"], None, renews_at, exceeded)


def price_moved_text(seen: Decimal, now: Decimal, currency: str) -> str:
    """A sentence with what a customer was shown and what it is now."""
    return _("You were shown %(amount)s; it is %(current_amount)s now.") % {
        "amount": amount_text(seen, currency),
        "current_amount": amount_text(now, currency),
    }


def require_offered(plan: Plan) -> None:
    """Refuse a plan that is free, inactive or not public. Raises PlanNotOffered."""
    if plan.is_free or not (plan.is_active and plan.is_public):
        raise PlanNotOffered(errors={"plan_slug": [PlanNotOffered.text]})


def offered_plan(slug: str) -> Plan:
    """The public plan with this slug. Raises PlanNotOffered."""
    plan = public_plans().filter(slug=slug).first()
    if plan is None:
        raise PlanNotOffered(errors={"plan_slug": [PlanNotOffered.text]})
    return plan


def require_changeable(subscription: Subscription, now: datetime) -> None:
    """Refuse a change of plan that is not possible now.

    Raises SubscriptionBilledByStripe, SubscriptionNotActive, SubscriptionLapsed, SubscriptionEnding, RenewalPaid.
    """
    require_billed_here(subscription)
    if subscription.status != SubscriptionStatus.ACTIVE:
        raise SubscriptionNotActive()
    if has_lapsed(subscription, now):
        raise SubscriptionLapsed(_lapsed_text(subscription))
    if subscription.cancel_at_period_end:
        raise SubscriptionEnding()
    require_next_not_paid(subscription)


def require_next_not_paid(subscription: Subscription) -> None:
    """Refuse to change the plan while the next period is paid for as it was invoiced. Raises RenewalPaid."""
    renewal = undecided_renewal_of(subscription)
    if renewal and renewal.is_paid:
        raise RenewalPaid(
            _(
                "The period from %(day)s is already paid with invoice %(invoice_number)s. Change the "
                "plan from that day on."
            )
            % {"day": _day(renewal.period_start), "invoice_number": renewal.invoice.invoice_number}
        )


def _lapsed_text(subscription: Subscription) -> str:
    ended = _("The paid period of the plan %(plan)s ended on %(day)s") % {
        "plan": subscription.plan.name,
        "day": _day(subscription.current_period_end),
    }
    renewal = undecided_renewal_of(subscription)
    if renewal is None or renewal.is_paid:
        return _("%(ended)s. Order a plan again: the new order replaces this subscription.") % {"ended": ended}
    number = renewal.invoice.invoice_number
    return _("%(ended)s. Pay invoice %(number)s, which renews it; then the plan can be changed.") % {
        "ended": ended,
        "number": number,
    }


def has_lapsed(subscription: Subscription, now: datetime) -> bool:
    """Whether the paid period of a subscription that we bill is over. Then a plan has to be ordered again."""
    is_ours = subscription.billing_driver == BillingDriver.LOCAL and subscription.status == SubscriptionStatus.ACTIVE
    return is_ours and subscription.current_period_end is not None and subscription.current_period_end <= now


def require_current_price(
    subscription: Subscription, invoice: Invoice, line: InvoiceLine, plan: Plan, now: datetime
) -> None:
    """Refuse an ordered change to `plan` that would start `now` if it no longer costs what was ordered.

    `line`: the invoice's line that sells the change. It is priced again for the time that is really left, with the
    plan's price at the order. Time that passed since the order does not matter for a while
    (settings.PLAN_CHANGE_PRICE_HOLDS_HOURS); refunded money of the period does. For a change that an operator priced by
    hand, just the end of the period is checked.
    Raises PlanChangePeriodOver if the period is over, PlanChangeOutdated with both amounts.
    """
    # A payment's lock loads just the columns that nearly every payment needs.
    subscription = Subscription.objects.get(account_id=invoice.account_id, pk=subscription.pk)
    if running_period(subscription, now).seconds_left <= 0:
        raise PlanChangePeriodOver(
            _(
                "The change to %(plan)s was for a period that ended on %(day)s, so it cannot begin any "
                "more. Money that was paid for it is given back. Order a plan again."
            )
            % {"plan": plan.name, "day": _day(subscription.current_period_end)}
        )
    lines = [row for row in invoice.lines.all() if row.kind in {*PLAN_LINES, UNUSED_TIME}]
    if not any(row.kind == UNUSED_TIME for row in lines):
        return
    priced_at = line.period_start or _made_at(invoice)
    is_young = now - priced_at <= timedelta(hours=settings.PLAN_CHANGE_PRICE_HOLDS_HOURS)
    if is_young and line.period_start is None:
        # Orders of earlier releases do not store when they were priced.
        return
    period = running_period(subscription, priced_at if is_young else now)
    in_force, parts = terms_in_force(subscription), paid_parts(subscription, without=invoice)
    charge = charged_time(sold_terms(line, invoice.currency, plan), period, restarts=bool(line.restarts_period))
    anew, ordered = charge - unused_time(in_force, period, parts), sum((row.line_total for row in lines), Decimal(0))
    if (anew, in_force.currency) != (ordered, invoice.currency):
        raise PlanChangeOutdated(
            _(
                "The change to %(plan)s was ordered for %(amount)s, but now it costs %(current_amount)s for "
                "the remaining time. Order it again at today's price. What was paid for the first order "
                "is returned, or the difference is settled by hand."
            )
            % {
                "plan": plan.name,
                "amount": amount_text(ordered, invoice.currency),
                "current_amount": amount_text(anew, in_force.currency),
            }
        )


def require_current_order(invoice: Invoice) -> None:
    """Refuse to start paying what could not be delivered. A change of plan is checked again when it is paid.

    Raises PlanChangePeriodOver, PlanChangeOutdated, RenewalPaid, and OverLimits for the first period of a smaller plan
    that the account does not fit into.
    """
    line = plan_line_of(invoice) if invoice.subscription_id else None
    if line is None or line.plan is None:
        return
    if line.kind != LineKind.PLAN_CHANGE:
        _require_fits(invoice, line, line.plan)
        return
    subscriptions = Subscription.objects.filter(account_id=invoice.account_id)
    ours = subscriptions.filter(billing_driver=BillingDriver.LOCAL, status=SubscriptionStatus.ACTIVE)
    subscription = ours.filter(invoices=invoice.pk).first()
    if subscription:
        require_next_not_paid(subscription)
        require_current_price(subscription, invoice, line, line.plan, clock.now())


def _require_fits(invoice: Invoice, line: InvoiceLine, plan: Plan) -> None:
    """Nobody pays for a smaller plan that cannot begin. Once it is in force, it is paid like any other."""
    running = Subscription.objects.filter(account_id=invoice.account_id, invoices=invoice.pk)
    is_next = line.is_renewal and running.filter(pending_plan=plan, billing_driver=BillingDriver.LOCAL).exists()
    exceeded = over_limits(invoice.account, plan) if is_next else []
    if exceeded:
        raise OverLimits(
            _("%(over_limits_text)s Then pay, or keep your plan: cancel the change.")
            % {"over_limits_text": over_limits_text(exceeded)}
        )


def _made_at(invoice: Invoice) -> datetime:
    """When an invoice was created. A payment's lock does not load this column."""
    made_at: datetime = Invoice.objects.values_list("created_at", flat=True).get(
        account_id=invoice.account_id, pk=invoice.pk
    )
    return made_at


def _require_something_due(lines: list[dict[str, Any]], left: Plan, wanted: Plan, period: Period) -> None:
    """Refuse a change that would cost nothing but lose the rest of the paid time. Raises ChangeBelowZero."""
    unused, charge = -Decimal(lines[0]["amount"]), Decimal(lines[1]["amount"])
    if unused < charge or unused == charge == 0:
        return
    raise ChangeBelowZero(
        _(
            "The unused time of the plan %(left)s is worth %(amount)s, and %(wanted)s would cost "
            "%(current_amount)s. You would lose the difference. Wait for the end of the period on %(day)s, "
            "or choose another plan."
        )
        % {
            "left": left.name,
            "amount": amount_text(unused, wanted.currency),
            "wanted": wanted.name,
            "current_amount": amount_text(charge, wanted.currency),
            "day": _day(period.end),
        }
    )


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else ""


def sites_text(number: int) -> str:
    """So many sites: `1 site`, `12 sites`."""
    return ngettext("%(shown)s site", "%(shown)s sites", number) % {"shown": count_text(number)}


def people_text(number: int) -> str:
    """So many people: `1 person`, `12 people`."""
    return ngettext("%(shown)s person", "%(shown)s people", number) % {"shown": count_text(number)}


# What is counted under each limit of a plan.
COUNTED = {"sites": sites_text, "users": people_text}


def over_limits_text(exceeded: list[OverLimit]) -> str:
    """A sentence that says what an account has more of than a plan allows."""
    uses = _(" and ").join(
        ngettext("%(uses)s where %(allowed)s is allowed", "%(uses)s where %(allowed)s are allowed", limit.allowed)
        % {"uses": COUNTED[limit.limit](limit.used), "allowed": count_text(limit.allowed)}
        for limit in exceeded
    )
    return _("The account has %(uses)s. Remove what is too much first.") % {"uses": uses}


def terms_in_force(subscription: Subscription) -> Terms:
    """The terms that the customer has, whatever the plan says now. Raises SubscriptionNotActive before the payment."""
    if subscription.terms is None:
        raise SubscriptionNotActive()
    return subscription.terms


def running_period(subscription: Subscription, now: datetime) -> Period:
    """The subscription's period, seen from `now`. Raises SubscriptionNotActive if it has none yet."""
    if subscription.current_period_start is None or subscription.current_period_end is None:
        raise SubscriptionNotActive()
    return Period(subscription.current_period_start, subscription.current_period_end, now)


def _is_above(plan: Plan, sold: Terms) -> bool:
    # A longer cycle can start at once, because it is paid in advance. A shorter one waits for the end of the paid time.
    if plan.billing_cycle != sold.billing_cycle:
        return plan.billing_cycle == BillingCycle.ANNUAL
    return bool(plan.price > sold.price)
