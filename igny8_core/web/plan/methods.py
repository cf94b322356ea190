"""The account's saved ways of paying, and those that could be saved."""

from dataclasses import dataclass
from datetime import date

from django.conf import settings

from igny8_core.auth.models import Account, PaymentMethodType
from igny8_core.business.billing.gateways import card_method
from igny8_core.business.billing.models import AccountPaymentMethod, PaymentMethodConfig
from igny8_core.business.billing.offers import is_usable, offered_payment_methods
from igny8_core.business.billing.selectors import saved_methods_of
from igny8_core.web.pay.policy import STRIPE_JS


@dataclass(frozen=True)
class Saved:
    """A saved way of paying. A card that was chosen but never entered is one `without_card`."""

    method: AccountPaymentMethod
    expires: date | None
    is_expired: bool
    without_card: bool

    @property
    def is_card(self) -> bool:
        """Whether it can be charged without the customer."""
        return self.method.type == card_method() and not self.without_card and self.method.is_enabled


def saved_of(account: Account, today: date) -> list[Saved]:
    """The default one first."""
    return [_saved(method, today) for method in saved_methods_of(account)]


def _saved(method: AccountPaymentMethod, today: date) -> Saved:
    month, year = method.card_exp_month, method.card_exp_year
    expires = date(year, month, 1) if month and year else None
    without_card = method.type == card_method() and not method.gateway_method_id
    is_expired = expires is not None and expires < today.replace(day=1)
    return Saved(method, expires, is_expired, without_card)


def addable(account: Account, saved: list[Saved]) -> list[PaymentMethodConfig]:
    """What the account's country offers now and is not saved yet; another card can always be added."""
    known = {each.method.type for each in saved} - {card_method()}
    offered = offered_payment_methods(account.billing_country)
    return [offer for offer in offered if is_usable(offer) and offer.payment_method not in known]


def card_form() -> dict[str, str]:
    """What a page needs to show the card form: Stripe's script, or the page of a stand-in."""
    keys = settings.STRIPE
    if keys is None:
        return {}
    return {"stand_in": f"{keys.api_base}/fake/stripe/pay"} if keys.is_fake else {"stripe_js": STRIPE_JS}


def card_type() -> str:
    """The type of saved cards."""
    return str(PaymentMethodType(card_method()))
