"""What the dashboard's figures look like."""

from rest_framework import serializers

from igny8_core.admin.api.account_serializers import StaffEventOutput
from igny8_core.admin.api.payment_serializers import StaffPaymentOutput
from igny8_core.common.api.fields import MoneyField, SignedMoneyField
from igny8_core.common.api.serializers import OutputSerializer

MONTH = "YYYY-MM in UTC"


class StatusCountOutput(OutputSerializer):
    status = serializers.CharField()
    accounts = serializers.IntegerField()


class MonthCountOutput(OutputSerializer):
    month = serializers.CharField(help_text=MONTH)
    accounts = serializers.IntegerField()


class PlanCountOutput(OutputSerializer):
    plan = serializers.CharField()
    name = serializers.CharField()
    subscriptions = serializers.IntegerField()


class SubscriptionsOutput(OutputSerializer):
    total = serializers.IntegerField()
    by_plan = PlanCountOutput(many=True)


class CurrencyAmountOutput(OutputSerializer):
    currency = serializers.CharField()
    amount = MoneyField()


class MonthRevenueOutput(OutputSerializer):
    month = serializers.CharField(help_text=MONTH)
    currency = serializers.CharField()
    gross = MoneyField(help_text="Payments that came in")
    refunded = MoneyField(help_text="Credit notes")
    net = SignedMoneyField(help_text="Can be below zero")


class RevenueOutput(OutputSerializer):
    this_month = MonthRevenueOutput(many=True, help_text="By currency")
    by_month = MonthRevenueOutput(many=True, help_text="12 months, oldest first, each by currency")


class CreditFlowOutput(OutputSerializer):
    issued = serializers.IntegerField()
    used = serializers.IntegerField()
    expired = serializers.IntegerField()


class WaitingOutput(OutputSerializer):
    count = serializers.IntegerField()
    oldest_at = serializers.DateTimeField(allow_null=True)
    oldest_age_hours = serializers.IntegerField(allow_null=True)


class FailedPaymentsOutput(OutputSerializer):
    count = serializers.IntegerField(help_text="In the last 30 days")
    latest = StaffPaymentOutput(many=True, help_text="At most 10")


class StatisticsOutput(OutputSerializer):
    accounts_by_status = StatusCountOutput(many=True)
    new_accounts_by_month = MonthCountOutput(many=True, help_text="12 months, oldest first")
    active_subscriptions = SubscriptionsOutput()
    mrr = CurrencyAmountOutput(many=True, help_text="Monthly recurring revenue at the plans' prices of today")
    revenue = RevenueOutput()
    credits_this_month = CreditFlowOutput()
    pending_approvals = WaitingOutput()
    failed_payments = FailedPaymentsOutput()
    recent_activity = StaffEventOutput(many=True, help_text="The last 20 events")
