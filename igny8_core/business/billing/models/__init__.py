"""Money: what is owed, what was paid, what credits it bought."""

from igny8_core.business.billing.models.allocation import Allocation, AllocationKind
from igny8_core.business.billing.models.bulk_decision import (
    BulkDecision,
    BulkDecisionRow,
    BulkStatus,
    Decision,
    RowResult,
)
from igny8_core.business.billing.models.credit import (
    FIRST_MARK,
    GIVEN_BY_HAND,
    CreditCostConfig,
    CreditGrant,
    CreditGrantKind,
    CreditPackage,
    CreditTransaction,
    CreditTransactionType,
    CreditUsageHour,
    CreditUsageLog,
    CreditUsageSum,
    SumMark,
    UsageHourMark,
    UsageSumMark,
)
from igny8_core.business.billing.models.credit_note import CreditNote
from igny8_core.business.billing.models.daily_sum import DailySum, DailySumKind, DailySumMark
from igny8_core.business.billing.models.dispute import DISPUTE_TRANSITIONS, TO_ASK, Dispute, DisputeStatus
from igny8_core.business.billing.models.dunning import BusinessDay, DunningAccount, DunningPause, DunningStep, StageKind
from igny8_core.business.billing.models.invoice import (
    INVOICE_TRANSITIONS,
    Invoice,
    InvoiceCounter,
    InvoiceStatus,
)
from igny8_core.business.billing.models.invoice_line import PLAN_LINES, UNUSED_TIME, InvoiceLine, LineKind
from igny8_core.business.billing.models.made_default import MadeDefault
from igny8_core.business.billing.models.payee import (
    GATEWAY_METHODS,
    MANUAL_METHODS,
    PAYEE_COLUMNS,
    PAYEE_DETAILS,
    PAYEE_NUMBERS,
    InvoiceOffer,
    Payee,
    PayeeVersion,
)
from igny8_core.business.billing.models.payment import (
    CAPTURED_STATUSES,
    GATEWAY_UNDER_WAY,
    PAYMENT_TRANSITIONS,
    PAYMENTS_UNDER_WAY,
    Payment,
    PaymentStatus,
)
from igny8_core.business.billing.models.payment_method import (
    ALL_COUNTRIES,
    AccountPaymentMethod,
    PaymentMethodConfig,
)
from igny8_core.business.billing.models.payment_proof import PaymentProof, ProofType
from igny8_core.business.billing.models.price_change import PlanPriceChange, PriceChangeNotice
from igny8_core.business.billing.models.refund import REFUND_TRANSITIONS, REFUNDS_UNDER_WAY, Refund, RefundStatus
from igny8_core.business.billing.models.rejection import RejectionCode
from igny8_core.business.billing.models.renewal import RENEWAL_TRANSITIONS, Renewal, RenewalStatus
from igny8_core.business.billing.models.webhook_event import WebhookEvent, WebhookState

__all__ = [
    "ALL_COUNTRIES",
    "CAPTURED_STATUSES",
    "DISPUTE_TRANSITIONS",
    "FIRST_MARK",
    "GATEWAY_METHODS",
    "GATEWAY_UNDER_WAY",
    "GIVEN_BY_HAND",
    "INVOICE_TRANSITIONS",
    "MANUAL_METHODS",
    "PAYEE_COLUMNS",
    "PAYEE_DETAILS",
    "PAYEE_NUMBERS",
    "PAYMENTS_UNDER_WAY",
    "PAYMENT_TRANSITIONS",
    "PLAN_LINES",
    "REFUNDS_UNDER_WAY",
    "REFUND_TRANSITIONS",
    "RENEWAL_TRANSITIONS",
    "TO_ASK",
    "UNUSED_TIME",
    "AccountPaymentMethod",
    "Allocation",
    "AllocationKind",
    "BulkDecision",
    "BulkDecisionRow",
    "BulkStatus",
    "BusinessDay",
    "CreditCostConfig",
    "CreditGrant",
    "CreditGrantKind",
    "CreditNote",
    "CreditPackage",
    "CreditTransaction",
    "CreditTransactionType",
    "CreditUsageHour",
    "CreditUsageLog",
    "CreditUsageSum",
    "DailySum",
    "DailySumKind",
    "DailySumMark",
    "Decision",
    "Dispute",
    "DisputeStatus",
    "DunningAccount",
    "DunningPause",
    "DunningStep",
    "Invoice",
    "InvoiceCounter",
    "InvoiceLine",
    "InvoiceOffer",
    "InvoiceStatus",
    "LineKind",
    "MadeDefault",
    "Payee",
    "PayeeVersion",
    "Payment",
    "PaymentMethodConfig",
    "PaymentProof",
    "PaymentStatus",
    "PlanPriceChange",
    "PriceChangeNotice",
    "ProofType",
    "Refund",
    "RefundStatus",
    "RejectionCode",
    "Renewal",
    "RenewalStatus",
    "RowResult",
    "StageKind",
    "SumMark",
    "UsageHourMark",
    "UsageSumMark",
    "WebhookEvent",
    "WebhookState",
]
