"""What customers are told about their subscription. The texts are here: they differ in a sentence or two only."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from igny8_core.auth.models import Plan, Subscription
from igny8_core.business.billing.services.subscriptions.transitions import limit_facts
from igny8_core.common.mail import Mail
from igny8_core.events.models import Event


@dataclass(frozen=True)
class Notice:
    """A heading, what it means, and what can be done about it."""

    heading: str
    meaning: str
    advice: str


def subscription_mail(event: Event, recipients: list[str]) -> Mail:
    """The mail that tells of an event of SUBSCRIPTION_NOTICES."""
    subscription = Subscription.objects.select_related("plan").get(pk=event.object_id)
    notice = SUBSCRIPTION_NOTICES[event.type](subscription, event.data)
    context = {"heading": notice.heading, "meaning": notice.meaning, "advice": notice.advice}
    return Mail("subscription_notice", notice.heading, recipients, context)


def _name(subscription: Subscription, facts: dict[str, Any], of: str = "plan") -> str:
    """The plan's name as it was; events of before it was written down name the slug of that time only."""
    if f"{of}_name" in facts:
        return str(facts[f"{of}_name"])
    plan = Plan.objects.filter(slug=facts[of]).first() if of in facts else subscription.plan
    return plan.name if plan else str(facts[of])


def _limits(subscription: Subscription, facts: dict[str, Any], of: str) -> dict[str, int]:
    """What a period of the plan includes, as it was; of older events as the plan, else the subscription, has it now."""
    if "max_sites" in facts:
        return {name: facts[name] for name in ("max_sites", "max_users", "credits")}
    plan = Plan.objects.filter(slug=facts[of]).first()
    return limit_facts(plan.terms if plan else subscription.terms or subscription.plan.terms)


def _cancel_scheduled(subscription: Subscription, facts: dict[str, Any]) -> Notice:
    day = facts["at"][:10]
    return Notice(
        f"Your subscription ends on {day}",
        f"The plan {_name(subscription, facts)} was canceled. Until {day} everything works as before.",
        "You can take this back until then: reactivate the subscription.",
    )


def _canceled(subscription: Subscription, facts: dict[str, Any]) -> Notice:
    return Notice(
        "Your subscription has ended",
        f"The plan {_name(subscription, facts)} has ended. Your data and invoices are kept.",
        "To come back, order a plan.",
    )


def _downgrade_scheduled(subscription: Subscription, facts: dict[str, Any]) -> Notice:
    name, limits = _name(subscription, facts, "to"), _limits(subscription, facts, "to")
    day = f"{subscription.current_period_end:%Y-%m-%d}"
    return Notice(
        f"Your plan changes to {name} on {day}",
        f"{name} has room for {limits['max_sites']} site(s) and {limits['max_users']} user(s). If the account has more "
        f"on {day}, the plan stays as it is.",
        "Remove what is too much before that day. You can take the change back until then.",
    )


def _downgrade_refused(subscription: Subscription, facts: dict[str, Any]) -> Notice:
    name = _name(subscription, facts)
    return Notice(f"Your plan was not changed to {name}", facts["reason"], "Then choose the smaller plan again.")


def _plan_changed(subscription: Subscription, facts: dict[str, Any]) -> Notice:
    limits = _limits(subscription, facts, "to")
    return Notice(
        f"Your plan is now {_name(subscription, facts, 'to')}",
        f"It has room for {limits['max_sites']} site(s) and {limits['max_users']} user(s), and {limits['credits']} "
        "credits for each period.",
        "Nothing is left to do.",
    )


def _reactivated(subscription: Subscription, facts: dict[str, Any]) -> Notice:
    return Notice(
        "Your subscription runs on",
        f"What was scheduled for the end of the period was taken back. The plan stays {_name(subscription, facts)}.",
        "Nothing is left to do.",
    )


SUBSCRIPTION_NOTICES: dict[str, Callable[[Subscription, dict[str, Any]], Notice]] = {
    "subscription.cancel_scheduled": _cancel_scheduled,
    "subscription.canceled": _canceled,
    "subscription.downgrade_scheduled": _downgrade_scheduled,
    "subscription.downgrade_refused": _downgrade_refused,
    "subscription.plan_changed": _plan_changed,
    "subscription.reactivated": _reactivated,
}
