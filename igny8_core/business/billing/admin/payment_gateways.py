"""What the payment's page shows of its gateway, and what an operator can do there: ask it, give money back."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join
from unfold.decorators import action as page_action
from unfold.enums import ActionVariant

from igny8_core.business.billing.admin.dispute import DISPUTE_TONES
from igny8_core.business.billing.admin.payment_decisions import ConfirmDialog, back_to, operator_of, payment_with_id
from igny8_core.business.billing.admin.payment_proof import ShowsProof
from igny8_core.business.billing.admin.refund import REFUND_TONES
from igny8_core.business.billing.models import CAPTURED_STATUSES, GATEWAY_METHODS, GATEWAY_UNDER_WAY, Payment
from igny8_core.business.billing.services.reconciliation.polling import check_payment_now, return_money
from igny8_core.common.errors import DomainError
from igny8_core.console.base import EMPTY, amount_text, change_url, label


def gateway_buttons(payment: Payment) -> frozenset[str]:
    """What an operator can do with a payment at its gateway."""
    if payment.payment_method not in GATEWAY_METHODS:
        return frozenset()
    buttons = set()
    if payment.needs_review or payment.status in GATEWAY_UNDER_WAY or payment.status in CAPTURED_STATUSES:
        buttons.add("ask")
    if payment.needs_review and payment.gateway_object_id and payment.status not in CAPTURED_STATUSES:
        buttons.add("giveback")
    return frozenset(buttons)


class AsksGateways(ShowsProof):
    """The part of the payments' pages that is about gateways."""

    @admin.display(description="review")
    def review(self, payment: Payment) -> str:
        """Why an operator has to look at the payment."""
        return label(payment.review_reason, "danger") if payment.needs_review else EMPTY

    @admin.display(description="refunds at the gateway")
    def refunds_shown(self, payment: Payment) -> str:
        """Each refund at the gateway with its amount, its status and a link."""
        rows = [
            (
                change_url("billing_refund", refund.pk),
                refund,
                amount_text(refund.amount, refund.currency),
                label(refund.get_status_display(), REFUND_TONES.get(refund.status, "")),
            )
            for refund in payment.refunds.order_by("pk")
        ]
        return format_html_join("", '<div><a class="text-link" href="{}">{}</a>, {} {}</div>', rows) or EMPTY

    @admin.display(description="disputes")
    def disputes_shown(self, payment: Payment) -> str:
        """Each dispute of the payment with its amount, its status and a link."""
        rows = [
            (
                change_url("billing_dispute", dispute.pk),
                dispute,
                amount_text(dispute.amount, dispute.currency),
                label(dispute.get_status_display(), DISPUTE_TONES.get(dispute.status, "")),
            )
            for dispute in payment.disputes.order_by("pk")
        ]
        return format_html_join("", '<div><a class="text-link" href="{}">{}</a>, {} {}</div>', rows) or EMPTY

    def has_ask_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Operators who may see payments and resolve what gateways left open."""
        return self.has_view_permission(request) and request.user.has_perm("billing.check_payment")

    @page_action(  # type: ignore[untyped-decorator]
        description="Ask the gateway",
        permissions=["ask"],
        icon="sync",
        dialog={
            "title": "Ask the gateway about this payment",
            "description": "What it says is recorded: a payment that succeeded there is settled, refunds that were "
            "made there are booked. A payment that needs review is judged anew.",
            "form_class": ConfirmDialog,
            "form_submit_text": "Ask",
        },
    )
    def ask(self, request: HttpRequest, form: ConfirmDialog, object_id: str) -> HttpResponse:
        """Ask the gateway about the payment of the page."""
        payment = payment_with_id(object_id).get()
        try:
            payment = check_payment_now(payment, operator_of(request))
        except DomainError as refusal:
            messages.warning(request, refusal.text)
        else:
            status = payment.get_status_display().lower()
            outcome = f" It still needs review: {payment.review_reason}" if payment.needs_review else ""
            messages.success(request, f"The gateway was asked. The payment is {status}.{outcome}")
        return back_to(request, "billing_payment", object_id)

    @page_action(  # type: ignore[untyped-decorator]
        description="Give the money back",
        permissions=["ask"],
        icon="undo",
        variant=ActionVariant.DANGER,
        dialog={
            "title": "Give back what the gateway holds of this payment",
            "description": "The payment is closed and pays nothing; all of its money goes back to the customer, who "
            "is told by mail. The invoice stays as it is. It cannot be undone.",
            "form_class": ConfirmDialog,
            "form_submit_text": "Give it back",
        },
    )
    def giveback(self, request: HttpRequest, form: ConfirmDialog, object_id: str) -> HttpResponse:
        """Return the money of the page's payment, which needs review."""
        payment = payment_with_id(object_id).get()
        try:
            refund: Any = return_money(payment, operator_of(request))
        except DomainError as refusal:
            messages.warning(request, refusal.text)
        else:
            amount = amount_text(refund.amount, refund.currency)
            messages.success(request, f"{amount} goes back: {refund} is {refund.get_status_display().lower()}.")
        return back_to(request, "billing_payment", object_id)
