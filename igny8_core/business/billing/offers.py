"""Payment methods on offer: those of a country today, and those that an invoice offered when it was made.

An invoice keeps its offers: its page, mails and PDF show them, and they stay usable whatever is switched off or
corrected later. Methods that are offered since then can be used too.
"""

from collections.abc import Iterable
from decimal import Decimal

from igny8_core.auth.models import Account
from igny8_core.business.billing.gateways import takes
from igny8_core.business.billing.models import ALL_COUNTRIES, PAYEE_COLUMNS, Invoice, InvoiceOffer, PaymentMethodConfig
from igny8_core.business.billing.payees import is_hidden
from igny8_core.business.billing.selectors import is_available


def offered_payment_methods(country_code: str) -> list[PaymentMethodConfig]:
    """Enabled methods for a country (ISO 3166-1 alpha-2; empty: the global ones), by sort order.

    A country's row replaces the global row of the same method; a disabled one hides the method there
    (docs/domain.md section 1).
    """
    configs = PaymentMethodConfig.objects.filter(country_code__in=[ALL_COUNTRIES, country_code])
    by_method: dict[str, PaymentMethodConfig] = {}
    # "*" sorts before every letter, so a country's row comes later and replaces the global one.
    for config in configs.order_by("country_code"):
        by_method[config.payment_method] = config
    offered = [config for config in by_method.values() if config.is_enabled]
    return sorted(offered, key=lambda config: (config.sort_order, config.pk))


def countries_left_without(config: PaymentMethodConfig) -> list[str]:
    """The countries (* for those without rows of their own) that offer nothing once a method is switched off."""
    its_own = [config.country_code]
    if config.country_code == ALL_COUNTRIES:
        its_own = sorted({*its_own, *PaymentMethodConfig.objects.values_list("country_code", flat=True)})
    return [code for code in its_own if _offers_only(config, offered_payment_methods(code))]


def _offers_only(config: PaymentMethodConfig, offered: list[PaymentMethodConfig]) -> bool:
    return [offer.pk for offer in offered] == [config.pk]


def offered_for(country_code: str, amount: Decimal, currency: str) -> list[PaymentMethodConfig]:
    """The methods offered in a country that can take this amount, without those whose details are hidden."""
    offered = offered_payment_methods(country_code)
    return [offer for offer in offered if takes(offer.payment_method, amount, currency) and not is_hidden(offer)]


def is_usable(offer: PaymentMethodConfig) -> bool:
    """Whether an offer can be used now: its gateway has keys, and its details are not a hidden sample."""
    return is_available(offer.payment_method) and not is_hidden(offer)


def usual_method(offers: Iterable[PaymentMethodConfig], default: str) -> str:
    """The method to use if the customer names none: `default` if it is offered, otherwise the first usable offer.

    Empty if there is none.
    """
    usable = [offer.payment_method for offer in offers if is_usable(offer)]
    return default if default in usable else next(iter(usable), "")


def usual_payment_method_of(account: Account, amount: Decimal, currency: str) -> str:
    """The method by which the account pays an amount if it names none; its default if nothing is offered."""
    default = account.default_payment_method
    return usual_method(offered_for(account.billing_country, amount, currency), default) or default


def offers_of(invoice: Invoice) -> list[PaymentMethodConfig]:
    """What an invoice offers on its documents, in that order, as unsaved PaymentMethodConfig objects.

    An invoice of an older release has no stored offers; it offers what its country is offered today.
    """
    recorded = InvoiceOffer.objects.filter(invoice=invoice).select_related("payee_version").order_by("position")
    country: str = invoice.metadata.get("billing_snapshot", {}).get("country", "")
    offers = [_as_it_was(offer) for offer in recorded] or offered_payment_methods(country)
    return [offer for offer in offers if takes(offer.payment_method, invoice.total, invoice.currency)]


def payable_offers_of(invoice: Invoice) -> list[PaymentMethodConfig]:
    """All offers that can pay an invoice: its own, then those that its account's country has since then."""
    offers = offers_of(invoice)
    known = {offer.payment_method for offer in offers}
    since = offered_for(invoice.account.billing_country, invoice.total, invoice.currency)
    return [*offers, *(offer for offer in since if offer.payment_method not in known)]


def usual_instructions_for(invoice: Invoice) -> PaymentMethodConfig | None:
    """The offer by which an invoice is paid if nobody names a method; None if there is no usable one."""
    offers = payable_offers_of(invoice)
    usual = usual_method(offers, invoice.account.default_payment_method)
    return next((offer for offer in offers if offer.payment_method == usual), None)


def _as_it_was(offer: InvoiceOffer) -> PaymentMethodConfig:
    payee = offer.payee_version
    details = {name: getattr(payee, name) for name in PAYEE_COLUMNS} | {"is_sample": payee.is_sample} if payee else {}
    shown = {"country_code": offer.country_code, "payment_method": offer.payment_method, **details}
    return PaymentMethodConfig(id=offer.config_id, display_name=offer.display_name, sort_order=offer.position, **shown)
