from django.urls import path

from igny8_core.web.frame.addresses import addresses
from igny8_core.web.pay.confirmation import confirm
from igny8_core.web.pay.logo import company_logo
from igny8_core.web.pay.views import complete, invoice_pdf, pay_by_card, pay_elsewhere, payment_page, state

urlpatterns = [
    *addresses("logo", company_logo, "company_logo"),
    path("<str:token>/", payment_page, name="payment_page"),
    path("<str:token>/state/", state, name="payment_state"),
    path("<str:token>/invoice.pdf", invoice_pdf, name="invoice_pdf_of_link"),
    path("<str:token>/confirm/", confirm, name="confirm_transfer"),
    path("<str:token>/card/", pay_by_card, name="pay_by_card"),
    path("<str:token>/complete/", complete, name="complete_payment"),
    path("<str:token>/<str:payment_method>/", pay_elsewhere, name="pay_elsewhere"),
]
