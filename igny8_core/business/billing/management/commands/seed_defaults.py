from typing import Any

from django.core.management.base import BaseCommand
from django.db import models, transaction

from igny8_core.auth.models import Industry, Plan
from igny8_core.business.billing import default_data
from igny8_core.business.billing.models import CreditCostConfig, CreditPackage, MadeDefault, PaymentMethodConfig

DEFAULTS: list[tuple[type[models.Model], tuple[str, ...], default_data.Rows]] = [
    (Plan, ("slug",), default_data.PLANS),
    (Industry, ("slug",), default_data.INDUSTRIES),
    (CreditPackage, ("slug",), default_data.CREDIT_PACKAGES),
    (CreditCostConfig, ("operation_type",), default_data.CREDIT_COSTS),
    (PaymentMethodConfig, ("country_code", "payment_method"), default_data.PAYMENT_METHODS),
]


class Command(BaseCommand):
    help = (
        "Create the default plans, industries, credit packages, credit costs and payment methods, each once. What "
        "operators have changed, renamed or deleted since then stays that way. Running it again is harmless."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        for model, key, rows in DEFAULTS:
            created = sum(_make_once(model, key, row) for row in rows)
            if options["verbosity"]:
                name = model._meta.verbose_name_plural
                self.stdout.write(f"{name}: {created} created, {len(rows) - created} made before")


@transaction.atomic
def _make_once(model: type[models.Model], key: tuple[str, ...], row: dict[str, Any]) -> bool:
    """Create a row, unless it was created before or somebody else created one with the same name."""
    identity = {name: row[name] for name in key}
    _, is_first = MadeDefault.objects.get_or_create(kind=model._meta.label_lower, key=" ".join(identity.values()))
    if not is_first:
        return False
    rest = {name: value for name, value in row.items() if name not in key}
    _, created = model._default_manager.get_or_create(**identity, defaults=rest)
    return created
