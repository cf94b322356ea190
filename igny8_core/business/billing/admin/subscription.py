"""Console pages of subscriptions, with what operators can decide for a customer."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    BooleanRadioFilter,
    ChoicesDropdownFilter,
    RelatedDropdownFilter,
)
from unfold.decorators import action as page_action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from igny8_core.auth.models import LIVE_STATUSES, BillingDriver, Subscription, SubscriptionStatus
from igny8_core.auth.selectors import public_plans
from igny8_core.business.billing.admin.payment_decisions import back_to, operator_of
from igny8_core.business.billing.serializers import ChangeSubscriptionInput, EndSubscriptionInput
from igny8_core.business.billing.services.subscriptions.decisions import change_for_customer, end_for_customer
from igny8_core.common.errors import DomainError
from igny8_core.common.strict_forms import StrictForm
from igny8_core.console.base import ReadOnlyAdmin, amount_text, badge, moment

SUBSCRIPTION_TONES = {
    SubscriptionStatus.PENDING_PAYMENT: "warning",
    SubscriptionStatus.ACTIVE: "success",
    SubscriptionStatus.PAST_DUE: "danger",
}


class DecisionDialog(StrictForm, BaseDialogForm):  # type: ignore[misc]
    """A decision on a customer's subscription."""

    reason = forms.CharField(
        max_length=500,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Kept with the event, for operators. The customer is told what happens, not why.",
    )


class EndDialog(DecisionDialog):
    """Ending a subscription."""

    rules = EndSubscriptionInput
    at_period_end = forms.BooleanField(
        required=False,
        initial=True,
        label="At the end of the period",
        widget=UnfoldBooleanSwitchWidget(),
        help_text="Off: at once. Money goes back only by a refund of the payment.",
    )
    field_order = ("at_period_end", "reason")


class ChangeDialog(DecisionDialog):
    """Ordering another plan for a customer."""

    rules = ChangeSubscriptionInput
    plan_slug = forms.ChoiceField(label="Plan", widget=UnfoldAdminSelectWidget(), choices=lambda: _plans())
    field_order = ("plan_slug", "reason")


def _plans() -> list[tuple[str, str]]:
    return [
        (plan.slug, f"{plan.name}, {amount_text(plan.price, plan.currency)} {plan.get_billing_cycle_display().lower()}")
        for plan in public_plans()
        if not plan.is_free
    ]


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    """Subscriptions; payments, the customer's orders and two decisions of operators move them."""

    list_display = (
        "id", "account", "plan", "status_shown", "period_start", "period_end", "cancel_at_period_end", "created"
    )  # fmt: skip
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("plan", RelatedDropdownFilter),
        ("cancel_at_period_end", BooleanRadioFilter),
        ("account", AutocompleteSelectFilter),
    )
    list_select_related = ("account", "plan")
    actions_detail = ("end", "change_plan")
    search_fields = ("account__name", "external_payment_id", "stripe_subscription_id")
    search_help_text = "Account, reference of the last payment, Stripe id"
    fieldsets = (
        (None, {"fields": (("account", "plan"), ("status_shown", "created"))}),
        (
            "Terms in force",
            {
                "description": "What the customer has. Edits of the plan do not reach them.",
                "fields": (
                    ("terms_price", "terms_currency", "terms_billing_cycle"),
                    ("terms_credits", "terms_credits_rollover"),
                    ("terms_max_sites", "terms_max_users"),
                ),
            },
        ),
        ("Period", {"fields": (("period_start", "period_end"), "anchor")}),
        ("Changes", {"fields": (("cancel_at_period_end", "canceled"), "pending_plan")}),
        ("Payment", {"fields": ("payment_method_shown", ("external_payment_id", "stripe_subscription_id"))}),
    )

    status_shown = badge("status", SUBSCRIPTION_TONES)
    period_start = moment("current_period_start", "period start")
    period_end = moment("current_period_end", "period end")
    anchor = moment("billing_anchor")
    canceled = moment("canceled_at")
    created = moment("created_at")

    @admin.display(description="payment method")
    def payment_method_shown(self, subscription: Subscription) -> str:
        """How the account pays by default."""
        return subscription.payment_method

    def has_end_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Operators who may see subscriptions and end them."""
        return self.has_view_permission(request) and request.user.has_perm("igny8_auth.end_subscription")

    def has_plan_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Operators who may see subscriptions and change their plan."""
        return self.has_view_permission(request) and request.user.has_perm("igny8_auth.change_subscription_plan")

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """The buttons are there while the subscription lives, and not where Stripe bills it."""
        ours = Subscription.objects.filter(pk=object_id, billing_driver=BillingDriver.LOCAL)
        offered = {"end"} if ours.filter(status__in=LIVE_STATUSES).exists() else set()
        if ours.filter(status=SubscriptionStatus.ACTIVE).exists():
            offered.add("plan")
        buttons: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return [button for button in buttons if button.action_name.rpartition("_")[2] in offered]

    @page_action(  # type: ignore[untyped-decorator]
        description="End",
        permissions=["end"],
        icon="event_busy",
        variant=ActionVariant.DANGER,
        dialog={
            "title": "End this subscription",
            "description": "What is unpaid of it is voided. The customer is told by mail, and can come back until the "
            "period is over.",
            "form_class": EndDialog,
            "form_submit_text": "End it",
        },
    )
    def end(self, request: HttpRequest, form: EndDialog, object_id: str) -> HttpResponse:
        """End the subscription of the page; the dialog has been filled in."""
        subscription, inputs = Subscription.objects.get(pk=object_id), form.cleaned_data
        try:
            ended = end_for_customer(
                subscription, operator_of(request), inputs["reason"], at_period_end=inputs["at_period_end"]
            )
        except DomainError as refusal:
            messages.warning(request, refusal.text)
        else:
            runs_on = ended.cancel_at_period_end
            text = "The subscription ends with its period." if runs_on else "The subscription has ended."
            messages.success(request, text)
        return back_to(request, "igny8_auth_subscription", object_id)

    @page_action(  # type: ignore[untyped-decorator]
        description="Change plan",
        permissions=["plan"],
        url_path="change-plan",
        icon="swap_vert",
        dialog={
            "title": "Order another plan for the customer",
            "description": "A larger plan is invoiced and starts when that is paid; a smaller one starts with the next "
            "period. The customer is told by mail.",
            "form_class": ChangeDialog,
            "form_submit_text": "Order it",
        },
    )
    def change_plan(self, request: HttpRequest, form: ChangeDialog, object_id: str) -> HttpResponse:
        """Order another plan for the subscription of the page; the dialog has been filled in."""
        subscription, inputs = Subscription.objects.get(pk=object_id), form.cleaned_data
        try:
            change = change_for_customer(subscription, inputs["plan_slug"], operator_of(request), inputs["reason"])
        except DomainError as refusal:
            messages.warning(request, refusal.text)
        else:
            messages.success(request, change.text)
        return back_to(request, "igny8_auth_subscription", object_id)
