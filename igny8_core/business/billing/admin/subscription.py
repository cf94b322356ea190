"""Console pages of subscriptions, with the buttons to end one and to change its plan."""

from typing import Any

from django import forms
from django.contrib import admin
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

from igny8_core.auth.models import LIVE_STATUSES, BillingDriver, PaymentMethodType, Subscription, SubscriptionStatus
from igny8_core.auth.permissions import operator_of
from igny8_core.auth.selectors import public_plans
from igny8_core.business.billing.serializers import ChangeSubscriptionInput, EndSubscriptionInput
from igny8_core.business.billing.services.subscriptions.decisions import change_for_customer, end_for_customer
from igny8_core.common.money import amount_text
from igny8_core.common.strict_forms import StrictForm
from igny8_core.console.columns import badge, moment
from igny8_core.console.dialogs import decided
from igny8_core.console.pages import ReadOnlyAdmin

SUBSCRIPTION_TONES = {
    SubscriptionStatus.PENDING_PAYMENT: "warning",
    SubscriptionStatus.ACTIVE: "success",
    SubscriptionStatus.PAST_DUE: "danger",
}


class DecisionDialog(StrictForm, BaseDialogForm):  # type: ignore[misc]
    """A dialog for a decision on a customer's subscription."""

    reason = forms.CharField(
        max_length=500,
        widget=UnfoldAdminTextInputWidget(),
        help_text="For operators, in the event log. The customer is told about the change but not the reason.",
    )


class EndDialog(DecisionDialog):
    """The dialog to end a subscription."""

    rules = EndSubscriptionInput
    at_period_end = forms.BooleanField(
        required=False,
        initial=True,
        label="At the end of the period",
        widget=UnfoldBooleanSwitchWidget(),
        help_text="Off: the subscription ends now. Nothing is refunded; refund the payment to return money.",
    )
    field_order = ("at_period_end", "reason")


class ChangeDialog(DecisionDialog):
    """The dialog to order another plan for a customer."""

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
    """Subscriptions. They change by payments, by customers' orders, and by the two buttons here."""

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
    search_help_text = "Search by account, last payment's reference or Stripe subscription ID"
    fieldsets = (
        (None, {"fields": (("account", "plan"), ("status_shown", "created"))}),
        (
            "Terms",
            {
                "description": "What the customer has bought. Editing the plan does not change these terms.",
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
        """The account's default payment method."""
        return str(PaymentMethodType(subscription.payment_method).label)

    def has_end_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Operators who may see subscriptions and end them."""
        return self.has_view_permission(request) and request.user.has_perm("igny8_auth.end_subscription")

    def has_plan_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Operators who may see subscriptions and change their plan."""
        return self.has_view_permission(request) and request.user.has_perm("igny8_auth.change_subscription_plan")

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """The buttons: shown while the subscription is live, unless Stripe bills it."""
        ours = Subscription.objects.filter(pk=object_id, billing_driver=BillingDriver.LOCAL)
        offered = {"end"} if ours.filter(status__in=LIVE_STATUSES).exists() else set()
        if ours.filter(status=SubscriptionStatus.ACTIVE).exists():
            offered.add("plan")
        buttons: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return [button for button in buttons if button.action_name.rpartition("_")[2] in offered]

    @page_action(  # type: ignore[untyped-decorator]
        description="End subscription",
        permissions=["end"],
        icon="event_busy",
        variant=ActionVariant.DANGER,
        dialog={
            "title": "End this subscription",
            "description": "Unpaid invoices of this subscription are voided. The customer is told by e-mail, and can "
            "reactivate the subscription until its period ends.",
            "form_class": EndDialog,
            "form_submit_text": "End subscription",
        },
    )
    def end(self, request: HttpRequest, form: EndDialog, object_id: str) -> HttpResponse:
        """End the subscription of the page, as the dialog says."""
        subscription, inputs = Subscription.objects.get(pk=object_id), form.cleaned_data

        def end() -> str:
            ended = end_for_customer(
                subscription, operator_of(request), inputs["reason"], at_period_end=inputs["at_period_end"]
            )
            runs_on = ended.cancel_at_period_end
            return "The subscription ends with its period." if runs_on else "The subscription has ended."

        return decided(request, "igny8_auth_subscription", object_id, end)

    @page_action(  # type: ignore[untyped-decorator]
        description="Change plan",
        permissions=["plan"],
        url_path="change-plan",
        icon="swap_vert",
        dialog={
            "title": "Change the customer's plan",
            "description": "A larger plan is invoiced and starts when the invoice is paid. A smaller plan starts with "
            "the next period. The customer is told by e-mail.",
            "form_class": ChangeDialog,
            "form_submit_text": "Change plan",
        },
    )
    def change_plan(self, request: HttpRequest, form: ChangeDialog, object_id: str) -> HttpResponse:
        """Order the plan that was chosen in the dialog for the subscription of the page."""
        subscription, inputs = Subscription.objects.get(pk=object_id), form.cleaned_data

        def change() -> str:
            return change_for_customer(subscription, inputs["plan_slug"], operator_of(request), inputs["reason"]).text

        return decided(request, "igny8_auth_subscription", object_id, change)
