"""Mails to customers about their subscription. They share one template and differ in these texts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from igny8_core.auth.models import BillingCycle, Plan, Subscription
from igny8_core.auth.selectors import OverLimit
from igny8_core.business.billing.services.subscriptions.ending import NOT_PAID
from igny8_core.business.billing.services.subscriptions.plan_change import over_limits_text, people_text, sites_text
from igny8_core.business.billing.services.subscriptions.transitions import limit_facts
from igny8_core.common.languages import translated
from igny8_core.common.mail import Mail
from igny8_core.common.money import amount_text
from igny8_core.common.written import count_text, day_text
from igny8_core.events.models import Event


@dataclass(frozen=True)
class Notice:
    """A heading, what it means, and what can be done about it."""

    heading: str
    meaning: str
    advice: str


def subscription_mail(event: Event, recipients: list[str]) -> Mail:
    """The mail about an event in SUBSCRIPTION_NOTICES."""
    subscription = Subscription.objects.select_related("plan").get(pk=event.object_id)
    notice = SUBSCRIPTION_NOTICES[event.type](subscription, event.data)
    context = {"heading": notice.heading, "meaning": notice.meaning, "advice": notice.advice}
    template = "subscription_cancelled" if event.type == "subscription.canceled" else "subscription_notice"
    return Mail(template, notice.heading, recipients, context)


def _name(subscription: Subscription, facts: dict[str, Any], of: str = "plan") -> str:
    """The plan's name at the time of the event. Older events contain its slug instead."""
    if f"{of}_name" in facts:
        return str(facts[f"{of}_name"])
    plan = Plan.objects.filter(slug=facts[of]).first() if of in facts else subscription.plan
    return plan.name if plan else str(facts[of])


def _limits(subscription: Subscription, facts: dict[str, Any], of: str) -> dict[str, int]:
    """What a period of the plan included at the time of the event; for older events, what it includes now."""
    if "max_sites" in facts:
        return {name: facts[name] for name in ("max_sites", "max_users", "credits")}
    plan = Plan.objects.filter(slug=facts[of]).first()
    return limit_facts(plan.terms if plan else subscription.terms or subscription.plan.terms)


def _credits(number: int) -> str:
    return ngettext("%(shown)s credit", "%(shown)s credits", number) % {"shown": count_text(number)}


def _too_much(facts: dict[str, Any]) -> str:
    """What the account has more of than the plan allows. Older events have only a text of it."""
    if "over_limits" not in facts:
        return translated(facts["reason"])
    return over_limits_text([OverLimit(**limit) for limit in facts["over_limits"]])


def _price(facts: dict[str, Any], which: str) -> str:
    """The old or the new price as the reader writes amounts. Older events have only a text of it."""
    amount = facts.get(f"{which}_amount")
    return amount_text(amount, facts["currency"]) if amount else str(facts[f"{which}_price"])


def _cancel_scheduled(subscription: Subscription, facts: dict[str, Any]) -> Notice:
    day = day_text(date.fromisoformat(facts["at"][:10]))
    return Notice(
        _("Your subscription ends on %(day)s") % {"day": day},
        _("Your plan %(name)s was canceled. Everything works as before until %(day)s.")
        % {"name": _name(subscription, facts), "day": day},
        _("If you change your mind, reactivate the subscription before that day."),
    )


def _canceled(subscription: Subscription, facts: dict[str, Any]) -> Notice:
    if facts.get("because") == NOT_PAID and subscription.terms is None:
        return Notice(
            _("Your order was withdrawn"),
            _("You ordered the plan %(name)s, and have not paid, so the order was withdrawn.")
            % {"name": _name(subscription, facts)},
            _("If you still want the plan, order it again. If you have paid meanwhile, please tell us."),
        )
    if facts.get("because") == NOT_PAID:
        return Notice(
            _("Your subscription has ended"),
            _("Your plan %(name)s has ended, because a payment is missing. Your data and invoices are kept.")
            % {"name": _name(subscription, facts)},
            _("To come back, order a plan. If you have paid meanwhile, please tell us."),
        )
    return Notice(
        _("Your subscription has ended"),
        _("Your plan %(name)s has ended. Your data and invoices are kept.") % {"name": _name(subscription, facts)},
        _("To come back, order a plan."),
    )


def _downgrade_scheduled(subscription: Subscription, facts: dict[str, Any]) -> Notice:
    name, limits = _name(subscription, facts, "to"), _limits(subscription, facts, "to")
    day = day_text(subscription.current_period_end or date.fromisoformat(facts["at"][:10]))
    return Notice(
        _("Your plan changes to %(name)s on %(day)s") % {"name": name, "day": day},
        _("%(name)s includes %(sites)s and %(people)s. If the account has more on %(day)s, the plan does not change.")
        % {
            "name": name,
            "sites": sites_text(limits["max_sites"]),
            "people": people_text(limits["max_users"]),
            "day": day,
        },
        _("If you have more, remove sites or users before that day. You can also cancel the change until then."),
    )


def _downgrade_refused(subscription: Subscription, facts: dict[str, Any]) -> Notice:
    name = _name(subscription, facts)
    return Notice(
        _("Your plan was not changed to %(name)s") % {"name": name},
        _too_much(facts),
        _("Then choose the smaller plan again."),
    )


def _plan_changed(subscription: Subscription, facts: dict[str, Any]) -> Notice:
    limits = _limits(subscription, facts, "to")
    return Notice(
        _("Your plan is now %(name)s") % {"name": _name(subscription, facts, "to")},
        _("It includes %(sites)s, %(people)s and %(credits)s for each period.")
        % {
            "sites": sites_text(limits["max_sites"]),
            "people": people_text(limits["max_users"]),
            "credits": _credits(limits["credits"]),
        },
        _("You do not need to do anything."),
    )


def _reactivated(subscription: Subscription, facts: dict[str, Any]) -> Notice:
    return Notice(
        _("Your subscription continues"),
        _("The change at the end of the period was canceled. Your plan stays %(name)s.")
        % {"name": _name(subscription, facts)},
        _("You do not need to do anything."),
    )


def _price_change_announced(subscription: Subscription, facts: dict[str, Any]) -> Notice:
    cycle = _("a year") if facts["billing_cycle"] == BillingCycle.ANNUAL else _("a month")
    day = day_text(date.fromisoformat(facts["from"]))
    return Notice(
        _("The price of your plan changes on %(day)s") % {"day": day},
        _(
            "From %(day)s your plan %(plan_name)s costs %(new_price)s %(cycle)s instead of "
            "%(old_price)s. What you have paid for stays as it is."
        )
        % {
            "day": day,
            "plan_name": facts["plan_name"],
            "new_price": _price(facts, "new"),
            "cycle": cycle,
            "old_price": _price(facts, "old"),
        },
        _(
            "You do not need to do anything. If you do not want the new price, choose another plan or cancel before "
            "that day."
        ),
    )


def _price_change_withdrawn(subscription: Subscription, facts: dict[str, Any]) -> Notice:
    return Notice(
        _("The price of your plan does not change"),
        _("We wrote to you that your plan %(plan_name)s would cost %(new_price)s from %(day)s on. That is withdrawn.")
        % {
            "plan_name": facts["plan_name"],
            "new_price": _price(facts, "new"),
            "day": day_text(date.fromisoformat(facts["from"])),
        },
        _(
            "You do not need to do anything. If you have chosen another plan or canceled because of it, you can take "
            "that back until the end of the period."
        ),
    )


SUBSCRIPTION_NOTICES: dict[str, Callable[[Subscription, dict[str, Any]], Notice]] = {
    "subscription.cancel_scheduled": _cancel_scheduled,
    "subscription.canceled": _canceled,
    "subscription.downgrade_scheduled": _downgrade_scheduled,
    "subscription.downgrade_refused": _downgrade_refused,
    "subscription.plan_changed": _plan_changed,
    "subscription.price_change_announced": _price_change_announced,
    "subscription.price_change_withdrawn": _price_change_withdrawn,
    "subscription.reactivated": _reactivated,
}
