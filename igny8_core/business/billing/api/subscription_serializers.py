"""What goes in and comes out of ordering and changing a plan."""

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
from igny8_core.common.api.fields import CurrencyField, EnumField, MoneyField, PlainTextField, TrueOrFalseField
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer


class PlanChangeInput(StrictSerializer):
    plan_slug = PlainTextField(max_length=50, help_text="Slug of the plan that is wanted")


class ReactivateInput(StrictSerializer):
    payment_method = serializers.ChoiceField(
        choices=PaymentMethodType.choices,
        required=False,
        default=str,
        help_text="For a new order; without it the account's usual one",
    )


class OrderInput(ReactivateInput):
    plan_slug = PlainTextField(max_length=50, help_text="Slug of the plan that is ordered")


class CancelInput(StrictSerializer):
    at_period_end = TrueOrFalseField(required=False, default=True, help_text="False: at once, without refund")


class OrderOutput(OutputSerializer):
    subscription = SubscriptionOutput(help_text="The subscription as it is now")
    invoice = InvoiceOutput(allow_null=True, help_text="What is to be paid; null where nothing is")
    payment_instructions = PaymentMethodOutput(allow_null=True, help_text="How it can be paid")


class OverLimitOutput(OutputSerializer):
    limit = EnumField(PLAN_LIMITS, help_text="What there is too much of")
    used = serializers.IntegerField(help_text="How many the account has")
    allowed = serializers.IntegerField(help_text="How many the plan allows")


class QuoteOutput(OutputSerializer):
    change = EnumField(ChangeKind, source="kind", help_text="What ordering the plan would be")
    plan = serializers.CharField(source="plan.slug", help_text="Slug of the plan that was asked about")
    currency = CurrencyField()
    line_items = InvoiceLineOutput(many=True, source="lines", help_text="What is invoiced now; none for a downgrade")
    total = MoneyField(help_text="Due now")
    credits = serializers.IntegerField(help_text="Granted when the invoice is paid")
    effective_at = serializers.DateTimeField(allow_null=True, help_text="Null: when the invoice is paid")
    renews_at = serializers.DateTimeField(allow_null=True, help_text="Null: one period after the payment")
    renewal_amount = MoneyField(source="plan.price", help_text="For each period from then on")
    over_limits = OverLimitOutput(many=True, help_text="What the account uses beyond the plan's limits today")
