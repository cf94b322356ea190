"""Ways of paying that are offered per country: what operators configure and customers see."""

from typing import Any

from igny8_core.auth.models import User
from igny8_core.business.billing.errors import PaymentMethodConfigured
from igny8_core.business.billing.locks import lock_payment_method_config
from igny8_core.business.billing.models import PaymentMethodConfig
from igny8_core.common.db import refusing, service_transaction
from igny8_core.events import services as events

ONCE_PER_COUNTRY = "igny8_payment_method_config_once_per_country"


class PaymentMethodConfigService:
    """Writes PaymentMethodConfig for the staff API; the console writes the same rows through its forms."""

    @staticmethod
    @service_transaction
    def configure(configured_by: User, **columns: Any) -> PaymentMethodConfig:
        """Offer a payment method in a country; `columns` are those of PaymentMethodConfig, validated.

        Raises PaymentMethodConfigured where the country has the method already.
        """
        with refusing(ONCE_PER_COUNTRY, PaymentMethodConfigured()):
            config = PaymentMethodConfig.objects.create(**columns)
        events.record(_event("payment_method.configured", config, configured_by, columns))
        return config

    @staticmethod
    @service_transaction
    def update(config: PaymentMethodConfig, updated_by: User, **changes: Any) -> PaymentMethodConfig:
        """Change columns of a configured method. Raises PaymentMethodConfigured, NotFound where it was removed."""
        config = lock_payment_method_config(config.pk)
        if not changes:
            return config
        for name, value in changes.items():
            setattr(config, name, value)
        with refusing(ONCE_PER_COUNTRY, PaymentMethodConfigured()):
            config.save(update_fields=[*changes])
        events.record(_event("payment_method.updated", config, updated_by, changes))
        return config

    @staticmethod
    @service_transaction
    def remove(config: PaymentMethodConfig, removed_by: User) -> None:
        """Offer a method in a country no more; payments by it stay as they are. Raises NotFound where it is gone."""
        config = lock_payment_method_config(config.pk)
        events.record(_event("payment_method.removed", config, removed_by, {"display_name": config.display_name}))
        config.delete()


def _event(event_type: str, config: PaymentMethodConfig, actor: User, facts: dict[str, Any]) -> events.NewEvent:
    which = {"country_code": config.country_code, "payment_method": config.payment_method}
    return events.NewEvent(event_type, config, None, actor.pk, facts | which)
