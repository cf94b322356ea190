from django.urls import path

from igny8_core.business.billing.api import credits, invoices, payment_methods, payments

# "billing/admin/…" is where the first clients of this API found these; what may be called there is said by each view.
urlpatterns = [
    path("admin/payment-methods/", payment_methods.PaymentMethodListUnderAdminView.as_view()),
    path("payment-methods/", payment_methods.PaymentMethodListView.as_view()),
    path("invoices/", invoices.InvoiceListView.as_view()),
    path("invoices/<int64:invoice_id>/", invoices.InvoiceDetailView.as_view()),
    path("payments/", payments.PaymentListView.as_view()),
    path("admin/payments/confirm/", payments.ConfirmPaymentView.as_view()),
    path("admin/payments/<int64:payment_id>/approve/", payments.ApprovePaymentView.as_view()),
    path("admin/payments/<int64:payment_id>/reject/", payments.RejectPaymentView.as_view()),
    path("credits/balance/", credits.BalanceView.as_view()),
    path("credits/transactions/", credits.CreditTransactionListView.as_view()),
]
