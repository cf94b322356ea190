from django.urls import path

from igny8_core.admin.api import accounts, credit_costs, invoices, payment_methods, payments, statistics

urlpatterns = [
    path("accounts/", accounts.AccountListView.as_view()),
    path("accounts/<int64:account_id>/", accounts.AccountDetailView.as_view()),
    path("accounts/<int64:account_id>/suspend/", accounts.SuspendAccountView.as_view()),
    path("accounts/<int64:account_id>/activate/", accounts.ActivateAccountView.as_view()),
    path("accounts/<int64:account_id>/adjust-credits/", accounts.AdjustCreditsView.as_view()),
    path("invoices/", invoices.InvoiceListView.as_view()),
    path("invoices/create/", invoices.CreateInvoiceView.as_view()),
    path("invoices/<int64:invoice_id>/", invoices.InvoiceDetailView.as_view()),
    path("invoices/<int64:invoice_id>/pdf/", invoices.InvoicePdfView.as_view()),
    path("invoices/<int64:invoice_id>/void/", invoices.VoidInvoiceView.as_view()),
    path("payments/", payments.PaymentListView.as_view()),
    path("payments/<int64:payment_id>/", payments.PaymentDetailView.as_view()),
    path("payments/<int64:payment_id>/proof/", payments.PaymentProofView.as_view()),
    path("payments/<int64:payment_id>/approve/", payments.ApprovePaymentView.as_view()),
    path("payments/<int64:payment_id>/reject/", payments.RejectPaymentView.as_view()),
    path("payments/<int64:payment_id>/refund/", payments.RefundPaymentView.as_view()),
    path("payment-methods/", payment_methods.PaymentMethodListView.as_view()),
    path("payment-methods/<int64:config_id>/", payment_methods.PaymentMethodDetailView.as_view()),
    path("credit-costs/", credit_costs.CreditCostListView.as_view()),
    path("credit-costs/<int64:cost_id>/", credit_costs.CreditCostDetailView.as_view()),
    path("dashboard/stats/", statistics.StatisticsView.as_view()),
]
