"""What customers will read of a payment method: on the page, in the mail and on the PDF of a sample invoice."""

from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import escape, format_html

from igny8_core.business.billing.admin.documents import served
from igny8_core.business.billing.models import (
    GATEWAY_METHODS,
    Invoice,
    InvoiceLine,
    InvoiceStatus,
    PaymentMethodConfig,
    ProofType,
)
from igny8_core.business.billing.services.invoices.instructions import instructions_with
from igny8_core.business.billing.services.invoices.lines import printed_lines
from igny8_core.business.billing.services.invoices.pdf import render_sample
from igny8_core.business.billing.services.invoices.ways import manual_way
from igny8_core.business.billing.services.proofs.files import picture_of
from igny8_core.common import clock
from igny8_core.common.money import amount_text
from igny8_core.console.columns import EMPTY
from igny8_core.console.pages import ConsoleAdmin

SAMPLE_CUSTOMER = "Sample customer"
SHOWN = """
<div class="console-preview"><section class="console-whole">
<h3>On the payment page, where the form to say that one has paid follows</h3>
<iframe sandbox srcdoc="{page}" title="The payment page of a sample invoice" loading="lazy"></iframe></section>
<section><h3>In mails</h3>{mail}</section>
<section><h3>On the PDF</h3><img class="console-document" src="{picture}" alt="The PDF of a sample invoice"
loading="lazy" width="1400" height="1980"></section></div>
"""


class ShowsPreview(ConsoleAdmin):
    """The preview on a payment method's page, and the picture in it."""

    def get_urls(self) -> list[URLPattern]:
        """The model's pages, and the address of the picture."""
        view = self.admin_site.admin_view(self.preview_view)
        return [
            path("<path:object_id>/preview/", view, name="billing_paymentmethodconfig_preview"),
            *super().get_urls(),
        ]

    def preview_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The PDF of a sample invoice as a picture. Raises PermissionDenied, Http404."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        config: PaymentMethodConfig | None = self.get_object(request, object_id)
        if config is None or config.payment_method in GATEWAY_METHODS:
            raise Http404
        invoice = _sample()
        instructions = instructions_with(invoice, config)
        return served(lambda: picture_of(render_sample(invoice, instructions)), ProofType.JPEG, "p.jpg", inline=True)

    @display(description="preview")
    def preview(self, config: PaymentMethodConfig) -> str:
        """The saved details as customers read them."""
        if not config.pk:
            return "Save it to see what customers will read."
        if config.payment_method in GATEWAY_METHODS:
            return EMPTY
        invoice = _sample()
        said = {"instructions": instructions_with(invoice, config), "invoice": invoice, "pay_link": "#"}
        mail = render_to_string("emails/manual_payment_instructions.html", said)
        picture = reverse("admin:billing_paymentmethodconfig_preview", args=[config.pk])
        return format_html(SHOWN, page=escape(_payment_page(invoice, config)), mail=mail, picture=picture)


def _payment_page(invoice: Invoice, config: PaymentMethodConfig) -> str:
    """The page without its form, which is the same for every method."""
    said = {
        "state": "open",
        # Its links open nothing.
        "token": "sample",
        "company": settings.COMPANY_NAME,
        "seller_address": settings.COMPANY_ADDRESS,
        "support_email": settings.SUPPORT_EMAIL,
        "invoice": invoice,
        "customer": SAMPLE_CUSTOMER,
        "total": amount_text(invoice.total, invoice.currency),
        "lines": printed_lines(invoice),
        "ways": [manual_way(invoice, config)],
    }
    return render_to_string("web/pay/sample.html", said)


def _sample() -> Invoice:
    """An invoice that is nobody's and not saved."""
    today, total = clock.today(), Decimal(89)
    invoice = Invoice(
        id=0,
        invoice_number=f"INV-0-{today:%Y%m}-0001",
        status=InvoiceStatus.PENDING,
        currency="USD",
        subtotal=total,
        total=total,
        invoice_date=today,
        due_date=today + timedelta(days=settings.INVOICE_DUE_DAYS),
        metadata={"billing_snapshot": {"name": SAMPLE_CUSTOMER}},
    )
    invoice.keep_lines([InvoiceLine(description="Sample", quantity=1, unit_amount=total, line_total=total)])
    return invoice
