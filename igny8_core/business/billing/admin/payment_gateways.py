"""The parts of a payment's page about its gateway: refunds, disputes, and the buttons to ask it and to return money."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join
from unfold.decorators import action as page_action
from unfold.enums import ActionVariant

from igny8_core.auth.confirming import require_confirmed_operator
from igny8_core.auth.permissions import operator_of
from igny8_core.business.billing.admin.dispute import DISPUTE_TONES
from igny8_core.business.billing.admin.payment_decisions import payment_with_id
from igny8_core.business.billing.admin.payment_proof import ShowsProof
from igny8_core.business.billing.admin.refund import REFUND_TONES
from igny8_core.business.billing.models import CAPTURED_STATUSES, GATEWAY_METHODS, GATEWAY_UNDER_WAY, Payment
from igny8_core.business.billing.services.reconciliation.polling import check_payment_now, return_money
from igny8_core.common.errors import TransitionNotAllowed
from igny8_core.common.money import amount_text
from igny8_core.console.columns import EMPTY, change_url, label
from igny8_core.console.dialogs import ConfirmDialog, decided

NOTHING_TO_ASK = (
    "No gateway knows more of this payment than what stands here. Look at its page: it came by bank or wallet, or it "
    "failed and is closed."
)


def gateway_buttons(payment: Payment) -> frozenset[str]:
    """The gateway buttons that an operator can use on this payment: "ask", "giveback"."""
    if payment.payment_method not in GATEWAY_METHODS:
        return frozenset()
    buttons = set()
    if payment.needs_review or payment.status in GATEWAY_UNDER_WAY or payment.status in CAPTURED_STATUSES:
        buttons.add("ask")
    if payment.needs_review and payment.gateway_object_id and payment.status not in CAPTURED_STATUSES:
        buttons.add("giveback")
    return frozenset(buttons)


class AsksGateways(ShowsProof):
    """The parts of the payments' pages about gateways."""

    @admin.display(description="review")
    def review(self, payment: Payment) -> str:
        """Why an operator has to review the payment."""
        return label(payment.review_reason, "danger") if payment.needs_review else EMPTY

    @admin.display(description="refunds at the gateway")
    def refunds_shown(self, payment: Payment) -> str:
        """Each refund at the gateway, with a link, its amount and status."""
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
        """Each dispute of the payment, with a link, its amount and status."""
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
        """Operators who may see payments and ask gateways about them."""
        return self.has_view_permission(request) and request.user.has_perm("billing.check_payment")

    def has_giveback_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Operators who may see and refund payments: whatever it is called, money goes back to a customer."""
        return self.has_view_permission(request) and request.user.has_perm("billing.refund_payment")

    @page_action(  # type: ignore[untyped-decorator]
        description="Ask the gateway",
        permissions=["ask"],
        icon="sync",
        dialog={
            "title": "Ask the gateway about this payment",
            "description": "Updates this payment from the gateway: a payment that succeeded there is settled here, and "
            "refunds that were made there are booked. If the payment needs review, it is checked again.",
            "form_class": ConfirmDialog,
            "form_submit_text": "Ask",
        },
    )
    def ask(self, request: HttpRequest, form: ConfirmDialog, object_id: str) -> HttpResponse:
        """Ask the gateway about the payment of the page."""

        def ask() -> str:
            payment = payment_with_id(object_id).get()
            if "ask" not in gateway_buttons(payment):
                raise TransitionNotAllowed(NOTHING_TO_ASK)
            payment = check_payment_now(payment, operator_of(request))
            review = f" It still needs review: {payment.review_reason}" if payment.needs_review else ""
            return f"The gateway was asked. The payment is {payment.get_status_display().lower()}.{review}"

        return decided(request, "billing_payment", object_id, ask)

    @page_action(  # type: ignore[untyped-decorator]
        description="Return the money",
        permissions=["giveback"],
        icon="undo",
        variant=ActionVariant.DANGER,
        dialog={
            "title": "Return the money that the gateway holds for this payment",
            "description": "All money of this payment goes back to the customer, who is told by e-mail. The payment "
            "is closed, and its invoice stays open. This cannot be undone.",
            "form_class": ConfirmDialog,
            "form_submit_text": "Return the money",
        },
    )
    def giveback(self, request: HttpRequest, form: ConfirmDialog, object_id: str) -> HttpResponse:
        """Return the money of the page's payment, which needs review."""
        require_confirmed_operator(request)

        def give_back() -> str:
            refund: Any = return_money(payment_with_id(object_id).get(), operator_of(request))
            amount = amount_text(refund.amount, refund.currency)
            return f"{amount} goes back to the customer: {refund} is {refund.get_status_display().lower()}."

        return decided(request, "billing_payment", object_id, give_back)
