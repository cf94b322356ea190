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

router = ApiRouter()
router.register("payment-methods", payment_methods.PaymentMethodViewSet)
router.register("payment-methods/mine", saved_methods.SavedMethodListViewSet)
router.register("payment-methods", saved_methods.SavedMethodViewSet)
router.register("invoices", invoices.InvoiceViewSet)
router.register("credit-notes", credit_notes.CreditNoteViewSet)
router.register("payments", payments.PaymentViewSet)
router.register("payment-proofs", payment_proofs.PaymentProofUploadViewSet)
router.register("payment-proofs", payment_proofs.PaymentProofViewSet)
router.register("subscriptions", subscriptions.SubscriptionViewSet)
router.register("credits/balance", credits.BalanceViewSet)
router.register("credits/transactions", credits.CreditTransactionViewSet)
router.register("credits/packages", credits.CreditPackageViewSet)
router.register("credits/purchase", credits.CreditPurchaseViewSet)
router.register("credits/usage", credits.UsageViewSet)
# "billing/admin/…" is where the first clients of this API found these; what may be called there is said by each view.
router.register("admin/payment-methods", payment_methods.PaymentMethodUnderAdminViewSet)
router.register("admin/payments/confirm", confirmations.ConfirmationViewSet)

urlpatterns = [
    *router.urls,
]
