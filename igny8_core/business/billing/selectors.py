"""Reads of billing. What belongs to an account is looked up from the account."""

from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from igny8_core.auth.models import Account, PaymentMethodType
from igny8_core.business.billing.models import (
    ALL_COUNTRIES,
    GATEWAY_METHODS,
    CreditGrant,
    CreditTransaction,
    Invoice,
    Payment,
    PaymentMethodConfig,
)


def invoices_of(account: Account) -> QuerySet[Invoice]:
    """The account's invoices with account and subscription, newest first."""
    return Invoice.objects.filter(account=account).select_related("account", "subscription")


def payments_of(account: Account) -> QuerySet[Payment]:
    """The account's payments with their invoice, newest first."""
    return Payment.objects.filter(account=account).select_related("invoice")


def payment_to_decide(payment_id: int) -> Payment | None:
    """Any account's payment, for a platform operator."""
    return Payment.objects.filter(pk=payment_id).first()


def credit_transactions_of(account: Account) -> QuerySet[CreditTransaction]:
    """The account's credit ledger, newest first."""
    return CreditTransaction.objects.filter(account=account)


def live_grants_of(account: Account) -> QuerySet[CreditGrant]:
    """Lots that can be spent now, in the order in which they will be."""
    unexpired = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    grants = CreditGrant.objects.filter(unexpired, account=account, remaining__gt=0)
    return grants.order_by("expires_at", "kind", "pk")


def spendable_credits(account: Account) -> int:
    """Credits that can be spent now: lots whose time is over count no more, even before they are taken back."""
    return live_grants_of(account).aggregate(total=Sum("remaining"))["total"] or 0


def is_available(payment_method: str) -> bool:
    """Whether money can be taken by this method here and now.

    Card and PayPal need a configured gateway, and this release has no gateway adapter yet; the rest is manual.
    """
    return payment_method not in GATEWAY_METHODS


def offered_payment_methods(country_code: str) -> list[PaymentMethodConfig]:
    """Enabled methods for a country (ISO 3166-1 alpha-2; empty: the global ones), by sort order.

    A country's row replaces the global row of the same method; a disabled one hides the method there (domain.md).
    """
    configs = PaymentMethodConfig.objects.filter(country_code__in=[ALL_COUNTRIES, country_code])
    by_method: dict[str, PaymentMethodConfig] = {}
    # "*" sorts before every letter, so that a country's row comes later and replaces it.
    for config in configs.order_by("country_code"):
        by_method[config.payment_method] = config
    offered = [config for config in by_method.values() if config.is_enabled]
    return sorted(offered, key=lambda config: (config.sort_order, config.pk))


def offered_payment_method(country_code: str, payment_method: str) -> PaymentMethodConfig | None:
    """The offer of one method in a country, or None where it is not offered."""
    offers = offered_payment_methods(country_code)
    return next((config for config in offers if config.payment_method == payment_method), None)


def first_available_payment_method(country_code: str) -> PaymentMethodType | None:
    """The method that a customer of the country gets who names none."""
    for config in offered_payment_methods(country_code):
        if is_available(config.payment_method):
            return PaymentMethodType(config.payment_method)
    return None
