"""Input and output of ordering and changing a plan."""

from rest_framework import serializers

from igny8_core.auth.models import PaymentMethodType
from igny8_core.auth.selectors import PLAN_LIMITS
from igny8_core.business.billing.serializers import (
    InvoiceLineOutput,
    InvoiceOutput,
    PaymentMethodOutput,
    SubscriptionOutput,
)
from igny8_core.business.billing.services.subscriptions.plan_change import ChangeKind
from igny8_core.common.api.fields import (
    CurrencyField,
    EnumField,
    MoneyField,
    PlainTextField,
    ShownAmountField,
    TrueOrFalseField,
)
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer


class PlanChangeInput(StrictSerializer):
    plan_slug = PlainTextField(max_length=50, help_text="Slug of the plan to change to")


class AgreedChangeInput(PlanChangeInput):
    expected_total = ShownAmountField(
        required=False, help_text="Amount due now that the customer was shown; refused if it is more by now"
    )
    expected_renewal_amount = ShownAmountField(
        required=False, help_text="Price of later periods that the customer was shown; refused if it is more by now"
    )
    quote_token = PlainTextField(
        max_length=200,
        required=False,
        default=str,
        help_text="The preview's quote_token: what it showed holds for 10 minutes",
    )


class ReactivateInput(StrictSerializer):
    payment_method = serializers.ChoiceField(
        choices=PaymentMethodType.choices,
        required=False,
        default=str,
        help_text="Payment method of a new order; by default the account's usual one",
    )


class OrderInput(ReactivateInput):
    plan_slug = PlainTextField(max_length=50, help_text="Slug of the plan to order")


class CancelInput(StrictSerializer):
    at_period_end = TrueOrFalseField(required=False, default=True, help_text="False: end it now, without a refund")


class OrderOutput(OutputSerializer):
    subscription = SubscriptionOutput(help_text="The subscription as it is now")
    invoice = InvoiceOutput(allow_null=True, help_text="The invoice to pay; null if there is none")
    payment_instructions = PaymentMethodOutput(allow_null=True, help_text="How to pay the invoice")


class OverLimitOutput(OutputSerializer):
    limit = EnumField(PLAN_LIMITS, help_text="The limit that is exceeded")
    used = serializers.IntegerField(help_text="How many the account has")
    allowed = serializers.IntegerField(help_text="How many the plan allows")


class QuoteOutput(OutputSerializer):
    change = EnumField(ChangeKind, source="kind", help_text="Whether it would be an order, an upgrade or a downgrade")
    plan = serializers.CharField(source="plan.slug", help_text="Slug of the requested plan")
    currency = CurrencyField()
    line_items = InvoiceLineOutput(many=True, source="lines", help_text="Lines of the invoice; none for a downgrade")
    total = MoneyField(help_text="Amount due now")
    credits = serializers.IntegerField(help_text="Credits granted when the invoice is paid")
    effective_at = serializers.DateTimeField(
        allow_null=True, help_text="When the plan starts; null: when the invoice is paid"
    )
    renews_at = serializers.DateTimeField(
        allow_null=True, help_text="When the plan renews; null: one period after the payment"
    )
    renewal_amount = MoneyField(source="plan.price", help_text="Price of each period after that")
    over_limits = OverLimitOutput(many=True, help_text="Limits of the plan that the account exceeds today")
    quote_token = serializers.CharField(
        help_text="Send it with the order and the amounts, and they hold for 10 minutes, whatever time does to them"
    )
