"""What operations cost in credits."""

from typing import Any

from igny8_core.auth.models import User
from igny8_core.business.billing.errors import CreditCostExists
from igny8_core.business.billing.locks import lock_credit_cost
from igny8_core.business.billing.models import CreditCostConfig
from igny8_core.common.db import refusing, service_transaction, set_changed
from igny8_core.events import services as events


@service_transaction
def create_credit_cost(created_by: User, **columns: Any) -> CreditCostConfig:
    """Set what an operation costs. `columns`: validated columns of CreditCostConfig. Raises CreditCostExists."""
    with refusing("igny8_credit_cost_config_operation_type_key", CreditCostExists()):
        cost = CreditCostConfig.objects.create(**columns)
    events.record(events.configured("credit_cost.created", cost, created_by))
    return cost


@service_transaction
def update_credit_cost(cost: CreditCostConfig, updated_by: User, **changes: Any) -> CreditCostConfig:
    """Change what an operation costs from now on, or take it out of use. Raises NotFound if it was deleted."""
    cost = lock_credit_cost(cost.pk)
    changed = set_changed(cost, changes)
    if not changed:
        return cost
    cost.save(update_fields=changed)
    events.record(events.configured("credit_cost.updated", cost, updated_by, changed))
    return cost
