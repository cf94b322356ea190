from igny8_core.web.frame.addresses import addresses
from igny8_core.web.invoices.views import invoice, invoices, pay

urlpatterns = [
    *addresses("account/invoices", invoices, "account_invoices"),
    *addresses("account/invoices/<int64:invoice_id>", invoice, "account_invoice"),
    *addresses("account/invoices/<int64:invoice_id>/pay", pay, "account_invoice_pay"),
]
