"""What the credits page offers: packages, and by what each can be paid in the account's country."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from igny8_core.auth.models import Account, PaymentMethodType
from igny8_core.auth.permissions import require_usable
from igny8_core.business.billing.gateways import GATEWAYS, card_method, takes
from igny8_core.business.billing.models import CreditPackage
from igny8_core.business.billing.offers import is_usable, offered_payment_methods
from igny8_core.business.billing.selectors import credit_packages
from igny8_core.common.errors import DomainError
from igny8_core.common.languages import translated
from igny8_core.web.plan.methods import Saved


@dataclass(frozen=True)
class PackageChoice:
    """A package; `refuses` are the gateways that cannot take its price, with a blank between them."""

    package: CreditPackage
    is_chosen: bool
    refuses: str


@dataclass(frozen=True)
class PayChoice:
    """A way of paying; `saved_id` is that of a saved card, which is charged at once."""

    method: str
    name: str
    text: str
    is_chosen: bool
    saved_id: int | None = None


def package_choices(slug: str) -> list[PackageChoice]:
    """What is for sale; chosen is `slug`, else what we recommend, else the first."""
    packages = list(credit_packages())
    featured = next((each.slug for each in packages if each.is_featured), packages[0].slug if packages else "")
    chosen = slug if slug in {each.slug for each in packages} else featured
    return [PackageChoice(each, each.slug == chosen, _refusing(each)) for each in packages]


def _refusing(package: CreditPackage) -> str:
    return " ".join(name for name in GATEWAYS if not takes(name, package.final_price, package.currency))


def what_follows() -> dict[str, str]:
    """How it goes on, by payment method; what is paid by hand has one sentence under ""."""
    return {
        card_method(): _("You enter your card next. The credits are there at once."),
        str(PaymentMethodType.PAYPAL): _("You pay with your PayPal account next. The credits are there at once."),
        "": _("The next page says where to send the money. The credits come when we have found it on our statement."),
    }


def pay_choices(account: Account, saved: list[Saved], tried: str = "") -> list[PayChoice]:
    """Saved cards first, then what the country offers. Chosen is what was `tried` just now, else what is usual."""
    offers = [offer for offer in offered_payment_methods(account.billing_country) if is_usable(offer)]
    names = {offer.payment_method for offer in offers}
    cards = [each.method for each in saved if each.is_card and card_method() in names and not each.is_expired]
    usual = tried or account.default_payment_method
    first = usual if usual in names else next((offer.payment_method for offer in offers), "")
    takes_card = bool(cards) and tried in {"", card_method()}
    sentences, at_once = what_follows(), _("Charged at once. The credits are there immediately.")
    choices = [
        PayChoice(card.type, card.display_name, at_once, is_chosen=takes_card and number == 0, saved_id=card.pk)
        for number, card in enumerate(cards)
    ]
    for offer in offers:
        text = sentences.get(offer.payment_method, sentences[""])
        chosen = not takes_card and offer.payment_method == first
        choices.append(PayChoice(offer.payment_method, translated(offer.display_name), text, chosen))
    return choices


def why_no_purchase(account: Account) -> str:
    """Why the account cannot buy credits now; empty where it can."""
    try:
        require_usable(account)
    except DomainError as refusal:
        return refusal.text
    return ""
