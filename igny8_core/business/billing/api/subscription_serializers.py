"""What goes in and comes out of ordering and changing a plan."""

from rest_framework import serializers

from igny8_core.auth.models import PaymentMethodType
from igny8_core.business.billing.serializers import (
    InvoiceLineOutput,
    InvoiceOutput,
    PaymentMethodOutput,
    SubscriptionOutput,
)
from igny8_core.business.billing.services.plan_change import ChangeKind
from igny8_core.common.api.fields import MoneyField, PlainTextField, TrueOrFalseField
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer


class PlanChangeInput(StrictSerializer):
    plan_slug = PlainTextField(max_length=50)


class ReactivateInput(StrictSerializer):
    payment_method = serializers.ChoiceField(
        choices=PaymentMethodType.choices,
        required=False,
        default="",
        help_text="For a new order; without it the account's usual one",
    )


class OrderInput(ReactivateInput):
    plan_slug = PlainTextField(max_length=50)


class CancelInput(StrictSerializer):
    at_period_end = TrueOrFalseField(required=False, default=True, help_text="False: at once, without refund")


class OrderOutput(OutputSerializer):
    subscription = SubscriptionOutput()
    invoice = InvoiceOutput(allow_null=True, help_text="What is to be paid; null where nothing is")
    payment_instructions = PaymentMethodOutput(allow_null=True, help_text="How it can be paid")


class OverLimitOutput(OutputSerializer):
    limit = serializers.ChoiceField(choices=["sites", "users"])
    used = serializers.IntegerField()
    allowed = serializers.IntegerField()


class QuoteOutput(OutputSerializer):
    change = serializers.ChoiceField(choices=[kind.value for kind in ChangeKind], source="kind")
    plan = serializers.CharField(source="plan.slug")
    currency = serializers.CharField()
    line_items = InvoiceLineOutput(many=True, source="lines", help_text="What is invoiced now; none for a downgrade")
    total = MoneyField(help_text="Due now")
    credits = serializers.IntegerField(help_text="Granted when the invoice is paid")
    effective_at = serializers.DateTimeField(allow_null=True, help_text="Null: when the invoice is paid")
    renews_at = serializers.DateTimeField(allow_null=True, help_text="Null: one period after the payment")
    renewal_amount = MoneyField(source="plan.price", help_text="For each period from then on")
    over_limits = OverLimitOutput(many=True, help_text="What the account uses beyond the plan's limits today")
