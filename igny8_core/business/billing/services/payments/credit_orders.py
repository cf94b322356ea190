"""Buy credits: an invoice for a credit package. The credits are granted when the invoice is paid."""

from decimal import Decimal

from django.utils.translation import gettext as _

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import Account, User
from igny8_core.auth.permissions import require_usable
from igny8_core.business.billing.errors import PackageNotOffered, PriceMoved
from igny8_core.business.billing.offers import usual_payment_method_of
from igny8_core.business.billing.pricing import package_line
from igny8_core.business.billing.selectors import credit_packages, open_order_of
from igny8_core.business.billing.services.invoices.lifecycle import create_invoice
from igny8_core.business.billing.services.payment_methods.availability import required_offer
from igny8_core.business.billing.services.payments.checkout import Checkout
from igny8_core.business.billing.services.subscriptions.plan_change import price_moved_text
from igny8_core.common.db import service_transaction
from igny8_core.common.languages import in_language


@service_transaction
def buy_credits(
    account: Account, package_slug: str, payment_method: str, ordered_by: User, seen: Decimal | None = None
) -> Checkout:
    """The invoice for a credit package, in the package's currency: the one that is open, else a new one.

    Whoever orders the same again gets the same invoice, so that nobody has many open ones, each with its mail.

    `payment_method`: how the customer wants to pay (empty: the account's usual method). `seen`: the price that they
    were shown, in the package's currency; it may cost less, not more.

    Raises PriceMoved, PaymentRequired, AccountSuspended or AccountCanceled, PackageNotOffered,
    PaymentMethodNotAvailable, GatewayNotConfigured.
    """
    account = lock_account(account.pk)
    require_usable(account)
    package = credit_packages().filter(slug=package_slug).first()
    if package is None:
        raise PackageNotOffered(errors={"package": [PackageNotOffered.text]})
    price = package.final_price, package.currency
    if seen is not None and package.final_price > seen:
        moved = price_moved_text(seen, *price)
        raise PriceMoved(f"{_(PriceMoved.text)} {moved}", errors={"expected_price": [moved]})
    offer = required_offer(account, payment_method or usual_payment_method_of(account, *price), price)
    with in_language(account.language):
        line = package_line(package)
    invoice = open_order_of(account, package, price) or create_invoice(
        account, [line], currency=package.currency, created_by=ordered_by
    )
    return Checkout(invoice, offer)
