"""Errors about credits and what they are spent on."""

from igny8_core.common.errors import DomainError
from igny8_core.common.marks import gettext_noop


class InsufficientCredits(DomainError):
    code = "insufficient_credits"
    http_status = 402
    text = gettext_noop("There are not enough credits for this. Buy credits or a larger plan, then try again.")


class CreditCostExists(DomainError):
    code = "credit_cost_exists"
    http_status = 409
    text = gettext_noop("This operation already has a cost. Change that one instead.")


class PackageNotOffered(DomainError):
    code = "package_not_offered"
    http_status = 400
    text = gettext_noop("This credit package is not offered. GET /api/v1/billing/credits/packages/ lists them.")


class OperationNotOffered(DomainError):
    code = "operation_not_offered"
    http_status = 400
    text = gettext_noop("This operation is unknown or not in use. Check the name of the operation type.")


class SpendKeyReused(DomainError):
    code = "spend_key_reused"
    http_status = 422
    text = gettext_noop(
        "This Idempotency-Key was already used for another operation. Use a new key for a new operation."
    )
