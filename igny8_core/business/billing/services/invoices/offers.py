"""The payment methods that an invoice offers, stored with it, and the versions of bank details that they point to."""

from contextlib import suppress

from igny8_core.auth.models import User
from igny8_core.business.billing.locks import lock_payment_method_config
from igny8_core.business.billing.models import (
    GATEWAY_METHODS,
    Invoice,
    InvoiceOffer,
    PayeeVersion,
    PaymentMethodConfig,
)
from igny8_core.business.billing.offers import offered_for
from igny8_core.business.billing.payees import text_without_details
from igny8_core.common.db import require_atomic
from igny8_core.common.errors import NotFound


def record_offers(invoice: Invoice, country_code: str) -> None:
    """Store by which methods a new invoice can be paid, in the transaction that creates it.

    An invoice that Stripe collects by itself offers nothing.
    """
    require_atomic()
    if invoice.stripe_invoice_id:
        return
    offered = offered_for(country_code, invoice.total, invoice.currency)
    InvoiceOffer.objects.bulk_create(
        InvoiceOffer(
            invoice=invoice,
            payment_method=config.payment_method,
            payee_version_id=version_of(config),
            position=position,
            country_code=config.country_code,
            display_name=config.display_name,
            config_id=config.pk,
        )
        for position, config in enumerate(offered, start=1)
    )


def version_of(config: PaymentMethodConfig) -> int | None:
    """The id of the version with a configured method's current details; None for card and PayPal.

    The version is created here if the details were changed outside the service: by SQL, a shell or an older release.
    """
    if config.payment_method in GATEWAY_METHODS or config.payee_version_id:
        return config.payee_version_id
    # One that was removed since it was read was offered all the same.
    with suppress(NotFound):
        config = lock_payment_method_config(config.pk)
    if config.payee_version_id is None:
        former = PayeeVersion.objects.filter(country_code=config.country_code, payment_method=config.payment_method)
        config.instructions = text_without_details(config, *former[:1])
        config.payee_version = create_version(config, None)
        row = PaymentMethodConfig.objects.filter(pk=config.pk)
        row.update(instructions=config.instructions, payee_version=config.payee_version)
    return config.payee_version_id


def create_version(config: PaymentMethodConfig, made_by: User | None) -> PayeeVersion | None:
    """Store the details that a configured method will have as a new version; None for card and PayPal."""
    if config.payment_method in GATEWAY_METHODS:
        return None
    version = PayeeVersion.of(config)
    version.created_by = made_by
    version.save(force_insert=True)
    return version
