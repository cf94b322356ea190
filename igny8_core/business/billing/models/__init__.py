"""Money: what is owed, what was paid, what credits it bought."""

from igny8_core.business.billing.models.credit import (
    CreditCostConfig,
    CreditGrant,
    CreditGrantKind,
    CreditPackage,
    CreditTransaction,
    CreditTransactionType,
    CreditUsageLog,
)
from igny8_core.business.billing.models.invoice import INVOICE_MOVES, Invoice, InvoiceCounter, InvoiceStatus
from igny8_core.business.billing.models.payment import CAPTURED_STATUSES, PAYMENT_MOVES, Payment, PaymentStatus
from igny8_core.business.billing.models.payment_method import (
    ALL_COUNTRIES,
    GATEWAY_METHODS,
    MANUAL_METHODS,
    AccountPaymentMethod,
    PaymentMethodConfig,
)
from igny8_core.business.billing.models.webhook_event import WebhookEvent, WebhookProvider, WebhookState

__all__ = [
    "ALL_COUNTRIES",
    "CAPTURED_STATUSES",
    "GATEWAY_METHODS",
    "INVOICE_MOVES",
    "MANUAL_METHODS",
    "PAYMENT_MOVES",
    "AccountPaymentMethod",
    "CreditCostConfig",
    "CreditGrant",
    "CreditGrantKind",
    "CreditPackage",
    "CreditTransaction",
    "CreditTransactionType",
    "CreditUsageLog",
    "Invoice",
    "InvoiceCounter",
    "InvoiceStatus",
    "Payment",
    "PaymentMethodConfig",
    "PaymentStatus",
    "WebhookEvent",
    "WebhookProvider",
    "WebhookState",
]
