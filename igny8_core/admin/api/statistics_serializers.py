"""What the dashboard's figures look like."""

from typing import Any

from rest_framework import serializers

from igny8_core.admin.api.account_serializers import StaffEventOutput
from igny8_core.admin.api.payment_serializers import StaffPaymentOutput
from igny8_core.common.api.fields import MoneyField, SignedMoneyField

MONTH = "YYYY-MM in UTC"


class StatusCountOutput(serializers.Serializer[Any]):
    status = serializers.CharField()
    accounts = serializers.IntegerField()


class MonthCountOutput(serializers.Serializer[Any]):
    month = serializers.CharField(help_text=MONTH)
    accounts = serializers.IntegerField()


class PlanCountOutput(serializers.Serializer[Any]):
    plan = serializers.CharField()
    name = serializers.CharField()
    subscriptions = serializers.IntegerField()


class SubscriptionsOutput(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    by_plan = PlanCountOutput(many=True)


class CurrencyAmountOutput(serializers.Serializer[Any]):
    currency = serializers.CharField()
    amount = MoneyField()


class MonthRevenueOutput(serializers.Serializer[Any]):
    month = serializers.CharField(help_text=MONTH)
    currency = serializers.CharField()
    gross = MoneyField(help_text="Payments that came in")
    refunded = MoneyField(help_text="Credit notes")
    net = SignedMoneyField(help_text="Can be below zero")


class RevenueOutput(serializers.Serializer[Any]):
    this_month = MonthRevenueOutput(many=True, help_text="By currency")
    by_month = MonthRevenueOutput(many=True, help_text="12 months, oldest first, each by currency")


class CreditFlowOutput(serializers.Serializer[Any]):
    issued = serializers.IntegerField()
    used = serializers.IntegerField()
    expired = serializers.IntegerField()


class WaitingOutput(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    oldest_at = serializers.DateTimeField(allow_null=True)
    oldest_age_hours = serializers.IntegerField(allow_null=True)


class FailedPaymentsOutput(serializers.Serializer[Any]):
    count = serializers.IntegerField(help_text="In the last 30 days")
    latest = StaffPaymentOutput(many=True, help_text="At most 10")


class StatisticsOutput(serializers.Serializer[Any]):
    accounts_by_status = StatusCountOutput(many=True)
    new_accounts_by_month = MonthCountOutput(many=True, help_text="12 months, oldest first")
    active_subscriptions = SubscriptionsOutput()
    mrr = CurrencyAmountOutput(many=True, help_text="Monthly recurring revenue at the plans' prices of today")
    revenue = RevenueOutput()
    credits_this_month = CreditFlowOutput()
    pending_approvals = WaitingOutput()
    failed_payments = FailedPaymentsOutput()
    recent_activity = StaffEventOutput(many=True, help_text="The last 20 events")
