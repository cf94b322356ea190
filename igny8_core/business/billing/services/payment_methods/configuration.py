"""Payment methods per country: operators configure them, customers see them."""

from dataclasses import replace
from typing import Any

from igny8_core.auth.models import User
from igny8_core.business.billing.errors import PaymentMethodConfigured
from igny8_core.business.billing.locks import lock_payment_method_config
from igny8_core.business.billing.models import PAYEE_COLUMNS, PayeeVersion, PaymentMethodConfig
from igny8_core.business.billing.payees import holds_sample, refused_details, text_without_details
from igny8_core.business.billing.services.invoices.offers import create_version
from igny8_core.common.db import refusing, service_transaction, set_changed
from igny8_core.common.errors import InvalidInput
from igny8_core.events import services as events

ONCE_PER_COUNTRY = "igny8_payment_method_config_once_per_country"


@service_transaction
def configure_payment_method(configured_by: User, **columns: Any) -> PaymentMethodConfig:
    """Configure a payment method for a country. `columns`: validated columns of PaymentMethodConfig.

    Raises PaymentMethodConfigured if the country already has the method, InvalidInput if bank or wallet details are
    wrong.
    """
    config = PaymentMethodConfig(**columns)
    config.instructions = text_without_details(config)
    _require_sound(None, config)
    config.payee_version = create_version(config, configured_by)
    with refusing(ONCE_PER_COUNTRY, PaymentMethodConfigured()):
        config.save(force_insert=True)
    events.record(events.configured("payment_method_config.created", config, configured_by))
    return config


@service_transaction
def update_payment_method(config: PaymentMethodConfig, updated_by: User, **changes: Any) -> PaymentMethodConfig:
    """Change columns of a configured method. Earlier invoices keep the details they were issued with.

    Raises PaymentMethodConfigured, InvalidInput if bank or wallet details are wrong, NotFound if it was removed.
    """
    config = lock_payment_method_config(config.pk)
    before = PayeeVersion.of(config)
    changed = {*set_changed(config, changes)}
    if changed & {*PAYEE_COLUMNS}:
        config.instructions = text_without_details(config, before)
    details = [name for name in PAYEE_COLUMNS if getattr(config, name) != getattr(before, name)]
    changed = changed - {*PAYEE_COLUMNS} | {*details}
    if not changed:
        return config
    if details:
        _require_sound(before, config)
        config.is_sample = before.is_sample and holds_sample(config)
        config.payee_version = create_version(config, updated_by)
    with refusing(ONCE_PER_COUNTRY, PaymentMethodConfigured()):
        config.save(update_fields=[*changed, "payee_version", "is_sample"])
    event = events.configured("payment_method_config.updated", config, updated_by, changed)
    events.record(_with_old_values(event, before, details))
    return config


@service_transaction
def remove_payment_method(config: PaymentMethodConfig, removed_by: User) -> None:
    """Stop offering a method in a country. Payments made with it stay. Raises NotFound if it was already removed."""
    config = lock_payment_method_config(config.pk)
    events.record(events.configured("payment_method_config.deleted", config, removed_by))
    config.delete()


def _require_sound(before: PayeeVersion | None, config: PaymentMethodConfig) -> None:
    refusals = refused_details(before, config)
    if refusals:
        raise InvalidInput(errors=refusals)


def _with_old_values(event: events.NewEvent, before: PayeeVersion, details: list[str]) -> events.NewEvent:
    """Add the old values, so that operators who are notified see where customers sent money before."""
    if not details:
        return event
    return replace(event, data={**event.data, "before": {name: getattr(before, name) for name in details}})
