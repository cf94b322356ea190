"""Ways of paying that are offered per country: what operators configure and customers see."""

from typing import Any

from igny8_core.auth.models import User
from igny8_core.business.billing.errors import PaymentMethodConfigured
from igny8_core.business.billing.locks import lock_payment_method_config
from igny8_core.business.billing.models import PaymentMethodConfig
from igny8_core.common.db import refusing, service_transaction, set_changed
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
        events.record(events.configured("payment_method_config.created", config, configured_by))
        return config

    @staticmethod
    @service_transaction
    def update(config: PaymentMethodConfig, updated_by: User, **changes: Any) -> PaymentMethodConfig:
        """Change columns of a configured method. Raises PaymentMethodConfigured, NotFound where it was removed."""
        config = lock_payment_method_config(config.pk)
        changed = set_changed(config, changes)
        if not changed:
            return config
        with refusing(ONCE_PER_COUNTRY, PaymentMethodConfigured()):
            config.save(update_fields=changed)
        events.record(events.configured("payment_method_config.updated", config, updated_by, changed))
        return config

    @staticmethod
    @service_transaction
    def remove(config: PaymentMethodConfig, removed_by: User) -> None:
        """Offer a method in a country no more; payments by it stay as they are. Raises NotFound where it is gone."""
        config = lock_payment_method_config(config.pk)
        events.record(events.configured("payment_method_config.deleted", config, removed_by))
        config.delete()
