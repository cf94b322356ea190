"""What people choose from when they sign up: plans, and by what the chosen one can be paid in their country."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from igny8_core.auth.models import BillingCycle, PaymentMethodType, Plan
from igny8_core.auth.selectors import public_plans
from igny8_core.business.billing.gateways import GATEWAYS, card_method, takes
from igny8_core.business.billing.models import PaymentMethodConfig
from igny8_core.business.billing.offers import is_usable, offered_for
from igny8_core.common.countries import COUNTRY_NAMES
from igny8_core.common.languages import translated


@dataclass(frozen=True)
class PlanChoice:
    """A plan as its card shows it; `refuses` are the gateways that cannot take its price."""

    plan: Plan
    is_chosen: bool

    @property
    def is_annual(self) -> bool:
        """Whether a period of it is a year."""
        return bool(self.plan.billing_cycle == BillingCycle.ANNUAL)

    @property
    def refuses(self) -> str:
        """For the script that shows the ways of paying: names with a blank between them."""
        return " ".join(name for name in GATEWAYS if not takes(name, self.plan.price, self.plan.currency))


@dataclass(frozen=True)
class Way:
    """A way of paying, and in a sentence how it goes on after the order."""

    payment_method: str
    name: str
    what_follows: str
    is_chosen: bool


def plan_choices(slug: str) -> list[PlanChoice]:
    """The plans on offer; the one of `slug` is chosen, else the one that trials begin with."""
    return _choices(list(public_plans()), slug)


def paid_choices(slug: str) -> list[PlanChoice]:
    """The same without those that cost nothing; the first one is chosen where `slug` says none."""
    return _choices([plan for plan in public_plans() if not plan.is_free], slug)


def _choices(plans: list[Plan], slug: str) -> list[PlanChoice]:
    known = [plan.slug for plan in plans]
    usual = next((plan.slug for plan in plans if plan.is_trial), next(iter(known), ""))
    chosen = slug if slug in known else usual
    return [PlanChoice(plan, plan.slug == chosen) for plan in plans]


def chosen_of(choices: list[PlanChoice]) -> PlanChoice | None:
    """The chosen one; None where nothing is on offer."""
    return next((choice for choice in choices if choice.is_chosen), None)


def plan_of(slug: str) -> Plan | None:
    """A plan that is on offer."""
    return public_plans().filter(slug=slug).first() if slug else None


def ways_to_pay(plan: Plan | None, country: str, wanted: str) -> list[Way]:
    """By what the plan can be paid in a country now; `wanted` is chosen where it is among them, else the first."""
    if plan is None or plan.is_free or country not in COUNTRY_NAMES:
        return []
    offers = [offer for offer in offered_for(country, plan.price, plan.currency) if is_usable(offer)]
    names = [offer.payment_method for offer in offers]
    chosen = wanted if wanted in names else next(iter(names), "")
    return [_way(offer, is_chosen=offer.payment_method == chosen) for offer in offers]


def what_follows() -> dict[str, str]:
    """How it goes on after the order, by payment method; what is paid by hand has one sentence under ""."""
    return {
        card_method(): _("You enter your card on the next page. Your plan starts at once."),
        str(PaymentMethodType.PAYPAL): _(
            "You pay with your PayPal account on the next page. Your plan starts at once."
        ),
        "": _("The next page says where to send the money. Your plan starts when we have found it on our statement."),
    }


def _way(offer: PaymentMethodConfig, *, is_chosen: bool) -> Way:
    sentences = what_follows()
    text = sentences.get(offer.payment_method, sentences[""])
    return Way(offer.payment_method, translated(offer.display_name), text, is_chosen)
