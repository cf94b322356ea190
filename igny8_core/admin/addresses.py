"""The addresses of the console that people know from its description, and where they lead."""

from django.urls import URLPattern, re_path
from django.views.generic import RedirectView

LEADS_TO = {
    "dashboard": "admin:index",
    "accounts": "admin:igny8_auth_account_changelist",
    "invoices": "admin:billing_invoice_changelist",
    "payments": "admin:billing_payment_changelist",
    "payment-methods": "admin:billing_paymentmethodconfig_changelist",
    "credit-costs": "admin:billing_creditcostconfig_changelist",
}

urlpatterns: list[URLPattern] = [
    re_path(rf"^{name}/?$", RedirectView.as_view(pattern_name=page, query_string=True))
    for name, page in LEADS_TO.items()
]
