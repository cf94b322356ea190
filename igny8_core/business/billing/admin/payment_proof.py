"""Console pages of proofs of payment, and the file on a payment's page."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter

from igny8_core.business.billing.admin.documents import served
from igny8_core.business.billing.models import Payment, PaymentProof, ProofType
from igny8_core.business.billing.services.proofs import files
from igny8_core.console.columns import EMPTY, badge, change_url, moment
from igny8_core.console.pages import ReadOnlyAdmin

LINK_HOLDER = "somebody with the link of the invoice"
PROOF_TONES = {ProofType.PDF: "info"}


@admin.register(PaymentProof)
class PaymentProofAdmin(ReadOnlyAdmin):
    """Files that customers uploaded as proof of a payment. The payment's page shows them."""

    list_display = ("id", "account", "type_shown", "size_shown", "uploaded_by", "created", "used_for")
    list_filter = (("content_type", ChoicesDropdownFilter), ("account", AutocompleteSelectFilter))
    list_select_related = ("account", "uploaded_by", "payment")
    search_fields = ("account__name", "uploaded_by__email", "sha256__exact")
    search_help_text = "Search by account, e-mail address of the uploader, or SHA-256 of the file"
    fields = (("account", "uploaded_by"), ("type_shown", "size_shown"), ("created", "used_for"), "sha256")

    type_shown = badge("content_type", PROOF_TONES, "file type")
    created = moment("created_at", "uploaded")

    @admin.display(description="size", ordering="size")
    def size_shown(self, proof: PaymentProof) -> str:
        """The size of the file, such as 1.2 MB."""
        return filesizeformat(proof.size)

    @admin.display(description="used for")
    def used_for(self, proof: PaymentProof) -> str:
        """The payment that the file belongs to."""
        if not hasattr(proof, "payment"):
            return EMPTY
        link = '<a class="text-link" href="{}">Payment {}</a>'
        return format_html(link, change_url("billing_payment", proof.payment.pk), proof.payment.pk)


class ShowsProof(ReadOnlyAdmin):
    """The customer's file on a payment's page, and the view that serves it."""

    def get_urls(self) -> list[URLPattern]:
        """The model's pages, and the address of a payment's file."""
        file, pages = map(self.admin_site.admin_view, (self.proof_view, self.pages_view))
        return [
            path("<path:object_id>/proof/", file, name="billing_payment_proof"),
            path("<path:object_id>/proof/pages/", pages, name="billing_payment_proof_pages"),
            *super().get_urls(),
        ]

    def proof_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The payment's file: pictures are shown, PDFs are saved. Raises PermissionDenied, Http404."""
        proof = self._proof_of(request, object_id)
        return served(lambda: files.fetch(proof), proof.content_type, proof.neutral_name, inline=proof.is_picture)

    def pages_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The pages of a payment's PDF as one picture, to look at beside the figures. As proof_view otherwise."""
        proof = self._proof_of(request, object_id)
        if proof.is_picture:
            raise Http404
        return served(lambda: files.pages_of(proof), ProofType.JPEG, f"{proof}.jpg", inline=True)

    def _proof_of(self, request: HttpRequest, object_id: str) -> PaymentProof:
        if not request.user.has_perm("billing.view_payment"):
            raise PermissionDenied
        payment: Payment | None = self.get_object(request, object_id)
        if payment is None or payment.proof is None:
            raise Http404
        return payment.proof

    @admin.display(description="uploaded file")
    def proof_file(self, payment: Payment) -> str:
        """The picture, or a link to the PDF, with type, size and uploader."""
        proof = payment.proof
        if proof is None:
            return EMPTY
        uploader = proof.uploaded_by or LINK_HOLDER
        values: dict[str, Any] = {
            "url": reverse("admin:billing_payment_proof", args=[payment.pk]),
            "name": proof.neutral_name,
            "about": f"{ProofType(proof.content_type).label}, {filesizeformat(proof.size)}, by {uploader}",
        }
        return format_html(PICTURE if proof.is_picture else DOCUMENT, **values)


PICTURE = """
<a class="console-proof" href="{url}" target="_blank" rel="noopener" title="Open {name} in full size">
<img src="{url}" alt="Proof of payment: {name}" loading="lazy"></a>
<span class="console-proof-about">{about}</span>
"""
DOCUMENT = """
<a class="console-proof-document" href="{url}" rel="noopener">
<span class="material-symbols-outlined" aria-hidden="true">picture_as_pdf</span>
<span class="text-link">{name}</span></a>
<span class="console-proof-about">{about}</span>
"""
