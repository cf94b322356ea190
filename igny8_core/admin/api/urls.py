from igny8_core.admin.api import (
    accounts,
    credit_costs,
    invoices,
    payment_methods,
    payments,
    renewals,
    statistics,
    subscriptions,
)
from igny8_core.common.api.routers import ApiRouter

operator_router = ApiRouter()
operator_router.register("accounts", accounts.OperatorAccountViewSet)
operator_router.register("subscriptions", subscriptions.OperatorSubscriptionViewSet)
operator_router.register("renewals", renewals.OperatorRenewalViewSet)
operator_router.register("invoices", invoices.OperatorInvoiceViewSet)
operator_router.register("payments", payments.OperatorPaymentViewSet)
operator_router.register("payment-methods", payment_methods.OperatorPaymentMethodViewSet)
operator_router.register("credit-costs", credit_costs.OperatorCreditCostViewSet)
operator_router.register("dashboard/stats", statistics.OperatorStatisticsViewSet)

# The addresses of the first clients of this API: under billing/admin/.
decision_router = ApiRouter()
decision_router.register("payments", payments.PaymentDecisionViewSet)
