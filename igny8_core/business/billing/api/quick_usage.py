"""Quick versions of UsageInput and UsageOutput for the usual requests to credits/usage/.

Programs spend credits all day, and the two serializers cost as much as another SQL statement. The serializers still
describe the API, write every refusal, and handle unusual requests. tests/api/test_quick_usage.py compares the results.
"""

import re
from collections.abc import Mapping
from typing import Any

from rest_framework.serializers import ValidationError

from igny8_core.business.billing.api.credit_serializers import MAX_QUANTITY, MetadataField
from igny8_core.business.billing.services.credits.spending import Usage
from igny8_core.common.api.fields import MAX_ID

# PlainTextField accepts such a name unchanged.
PLAIN_NAME = re.compile(r"[a-z0-9_-]{1,50}", re.ASCII)
REQUIRED = frozenset({"operation_type", "quantity"})
KNOWN = REQUIRED | {"site", "metadata"}
_metadata = MetadataField()


def quick_operation(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """The validated data of UsageInput; None if UsageInput has to do it itself, as for any wrong input."""
    if not REQUIRED <= body.keys() <= KNOWN:
        return None
    name, quantity, site = body["operation_type"], body["quantity"], body.get("site", 1)
    if type(name) is not str or not PLAIN_NAME.fullmatch(name):
        return None
    # type() and not isinstance(), because Python's True and False are integers.
    if type(quantity) is not int or not 1 <= quantity <= MAX_QUANTITY:
        return None
    if type(site) is not int or not 1 <= site <= MAX_ID:
        return None
    return dict(body) if "metadata" not in body or _is_metadata(body["metadata"]) else None


def _is_metadata(value: Any) -> bool:
    try:
        _metadata.to_internal_value(value)
    except ValidationError:
        return False
    return True


def quick_usage(usage: Usage) -> dict[str, Any]:
    """The data of UsageOutput."""
    return {
        "transaction_id": usage.entry.id,
        "operation_type": usage.operation_type,
        "quantity": usage.quantity,
        "credits_spent": usage.credits,
        "balance": usage.entry.balance_after,
    }
