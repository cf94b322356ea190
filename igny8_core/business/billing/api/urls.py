from igny8_core.business.billing.api import (
    confirmations,
    credit_notes,
    credits,
    invoices,
    payment_methods,
    payment_proofs,
    payments,
    saved_methods,
    subscriptions,
)
from igny8_core.common.api.routers import ApiRouter

billing_router = ApiRouter()
# Django tries addresses in this order, so the busiest ones come first.
billing_router.register("credits/usage", credits.UsageViewSet)
billing_router.register("credits/balance", credits.BalanceViewSet)
billing_router.register("invoices", invoices.InvoiceViewSet)
billing_router.register("payment-methods", payment_methods.PaymentMethodViewSet)
billing_router.register("payment-methods/mine", saved_methods.SavedMethodListViewSet)
billing_router.register("payment-methods", saved_methods.SavedMethodViewSet)
billing_router.register("credit-notes", credit_notes.CreditNoteViewSet)
billing_router.register("payments", payments.PaymentViewSet)
billing_router.register("payment-proofs", payment_proofs.PaymentProofUploadViewSet)
billing_router.register("payment-proofs", payment_proofs.PaymentProofViewSet)
billing_router.register("subscriptions", subscriptions.SubscriptionViewSet)
billing_router.register("credits/expiring", credits.ExpiringCreditsViewSet)
billing_router.register("credits/transactions", credits.CreditTransactionViewSet)
billing_router.register("credits/packages", credits.CreditPackageViewSet)
billing_router.register("credits/purchase", credits.CreditPurchaseViewSet)
# The addresses of the first clients of this API. In spite of "admin", these are for customers.
billing_router.register("admin/payment-methods", payment_methods.PaymentMethodUnderAdminViewSet)
billing_router.register("admin/payments/confirm", confirmations.ConfirmationViewSet)
