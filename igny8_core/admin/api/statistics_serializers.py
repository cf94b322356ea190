"""What the dashboard's figures look like."""

from rest_framework import serializers

from igny8_core.admin.api.account_serializers import OperatorEventOutput
from igny8_core.admin.api.payment_serializers import OperatorPaymentOutput
from igny8_core.auth.models import AccountStatus
from igny8_core.common.api.fields import CurrencyField, EnumField, MoneyField, SignedMoneyField
from igny8_core.common.api.serializers import OutputSerializer

MONTH = "YYYY-MM in UTC"


class StatusCountOutput(OutputSerializer):
    status = EnumField(AccountStatus, help_text="What these accounts may do")
    accounts = serializers.IntegerField(help_text="How many accounts have that status")


class MonthCountOutput(OutputSerializer):
    month = serializers.CharField(help_text=MONTH)
    accounts = serializers.IntegerField(help_text="How many accounts were made in that month")


class PlanCountOutput(OutputSerializer):
    plan = serializers.CharField()
    name = serializers.CharField()
    subscriptions = serializers.IntegerField(help_text="How many active subscriptions are of that plan")


class SubscriptionsOutput(OutputSerializer):
    total = serializers.IntegerField(help_text="How many subscriptions are active")
    by_plan = PlanCountOutput(many=True, help_text="The same by plan")


class CurrencyAmountOutput(OutputSerializer):
    currency = CurrencyField()
    amount = MoneyField(help_text="In that currency")


class MonthRevenueOutput(OutputSerializer):
    month = serializers.CharField(help_text=MONTH)
    currency = CurrencyField()
    gross = MoneyField(help_text="Payments that came in")
    refunded = MoneyField(help_text="Credit notes")
    net = SignedMoneyField(help_text="Can be below zero")


class RevenueOutput(OutputSerializer):
    this_month = MonthRevenueOutput(many=True, help_text="By currency")
    by_month = MonthRevenueOutput(many=True, help_text="12 months, oldest first, each by currency")


class CreditFlowOutput(OutputSerializer):
    issued = serializers.IntegerField(help_text="Credits that were given, for whatever reason")
    used = serializers.IntegerField(help_text="Credits that were spent on operations")
    expired = serializers.IntegerField(help_text="Credits that nobody spent in time")


class WaitingOutput(OutputSerializer):
    count = serializers.IntegerField(help_text="How many payments wait for an operator")
    oldest_at = serializers.DateTimeField(
        allow_null=True, help_text="When the oldest was confirmed; null where none waits"
    )
    oldest_age_hours = serializers.IntegerField(
        allow_null=True, help_text="Whole hours since then; null where none waits"
    )


class FailedPaymentsOutput(OutputSerializer):
    count = serializers.IntegerField(help_text="In the last 30 days")
    latest = OperatorPaymentOutput(many=True, help_text="At most 10")


class StatisticsOutput(OutputSerializer):
    accounts_by_status = StatusCountOutput(many=True, help_text="Number of accounts of each status")
    new_accounts_by_month = MonthCountOutput(many=True, help_text="12 months, oldest first")
    active_subscriptions = SubscriptionsOutput(help_text="Subscriptions that are active now")
    mrr = CurrencyAmountOutput(
        many=True,
        help_text="Monthly recurring revenue, at the prices that customers have",
    )
    revenue = RevenueOutput(help_text="What came in and went back")
    credits_this_month = CreditFlowOutput(help_text="Credits since the first of the month (UTC)")
    pending_approvals = WaitingOutput(help_text="Confirmed payments that wait for an operator")
    failed_payments = FailedPaymentsOutput(help_text="Payments that failed")
    recent_activity = OperatorEventOutput(many=True, help_text="The last 20 events")
