"""The quick forms of credits/usage/: what nearly every request there is, without the serializers' work for all others.

Programs spend credits all day, and the two serializers cost as much as one more statement would. The plain forms are
UsageInput and UsageOutput, which describe the API, word every refusal and serve all that is not met here;
tests/api/test_quick_usage.py holds the quick ones against them.
"""

import re
from collections.abc import Mapping
from typing import Any

from rest_framework.serializers import ValidationError

from igny8_core.business.billing.api.credit_serializers import MAX_QUANTITY, MetadataField
from igny8_core.business.billing.services.credits.spending import Usage
from igny8_core.common.api.fields import MAX_ID

# Nothing in such a name is refused, and NFC and stripping leave it as it is.
PLAIN_NAME = re.compile(r"[a-z0-9_-]{1,50}", re.ASCII)
REQUIRED = frozenset({"operation_type", "quantity"})
KNOWN = REQUIRED | {"site", "metadata"}
_metadata = MetadataField()


def quick_operation(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """What UsageInput makes of `body`; None where it must look itself, as it must wherever anything is wrong."""
    if not REQUIRED <= body.keys() <= KNOWN:
        return None
    name, quantity, site = body["operation_type"], body["quantity"], body.get("site", 1)
    if type(name) is not str or not PLAIN_NAME.fullmatch(name):
        return None
    # By type, not isinstance: JSON's true and false are whole numbers to Python.
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
    """What UsageOutput makes of `usage`."""
    return {
        "transaction_id": usage.entry.id,
        "operation_type": usage.operation_type,
        "quantity": usage.quantity,
        "credits_spent": usage.credits,
        "balance": usage.entry.balance_after,
    }
