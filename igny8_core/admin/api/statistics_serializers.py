"""Output of the business statistics."""

from rest_framework import serializers

from igny8_core.admin.api.account_serializers import OperatorEventOutput
from igny8_core.admin.api.payment_serializers import OperatorPaymentOutput
from igny8_core.auth.models import AccountStatus
from igny8_core.common.api.fields import CurrencyField, EnumField, MoneyField, SignedMoneyField
from igny8_core.common.api.serializers import OutputSerializer

MONTH = "YYYY-MM in UTC"


class StatusCountOutput(OutputSerializer):
    status = EnumField(AccountStatus, help_text="Status of these accounts")
    accounts = serializers.IntegerField(help_text="Number of accounts with this status")


class MonthCountOutput(OutputSerializer):
    month = serializers.CharField(help_text=MONTH)
    accounts = serializers.IntegerField(
        help_text="Number of accounts that signed up in this month, without deleted ones"
    )


class PlanCountOutput(OutputSerializer):
    plan = serializers.CharField()
    name = serializers.CharField()
    subscriptions = serializers.IntegerField(help_text="Number of active subscriptions to this plan")


class SubscriptionsOutput(OutputSerializer):
    total = serializers.IntegerField(help_text="Number of active subscriptions")
    by_plan = PlanCountOutput(many=True, help_text="Number of active subscriptions by plan")


class CurrencyAmountOutput(OutputSerializer):
    currency = CurrencyField()
    amount = MoneyField(help_text="Amount in this currency")


class MonthRevenueOutput(OutputSerializer):
    month = serializers.CharField(help_text=MONTH)
    currency = CurrencyField()
    gross = SignedMoneyField(help_text="Money allocated to invoices in this month, less allocations released in it")
    refunded = MoneyField(help_text="Money given back in this month: sum of credit notes")
    net = SignedMoneyField(help_text="Gross less refunded; can be negative")


class RevenueOutput(OutputSerializer):
    this_month = MonthRevenueOutput(many=True, help_text="This month, by currency")
    by_month = MonthRevenueOutput(many=True, help_text="The last 12 months, oldest first, by currency")


class CreditFlowOutput(OutputSerializer):
    issued = serializers.IntegerField(help_text="Credits granted, for any reason")
    used = serializers.IntegerField(help_text="Credits spent on operations, less what was given back")
    expired = serializers.IntegerField(help_text="Credits that expired unspent")
    taken_back = serializers.IntegerField(help_text="Credits taken back with a refund, or by an operator")


class WaitingOutput(OutputSerializer):
    count = serializers.IntegerField(help_text="Number of payments that wait for approval")
    oldest_at = serializers.DateTimeField(
        allow_null=True, help_text="When the oldest was confirmed; null if none is waiting"
    )
    oldest_age_hours = serializers.IntegerField(
        allow_null=True, help_text="Whole hours since then; null if none is waiting"
    )


class FailedPaymentsOutput(OutputSerializer):
    count = serializers.IntegerField(help_text="Number in the last 30 days")
    latest = OperatorPaymentOutput(many=True, help_text="The latest, at most 10")


class StatisticsOutput(OutputSerializer):
    accounts_by_status = StatusCountOutput(many=True, help_text="Number of accounts by status")
    new_accounts_by_month = MonthCountOutput(many=True, help_text="New accounts of the last 12 months, oldest first")
    active_subscriptions = SubscriptionsOutput(help_text="Subscriptions that are active now")
    mrr = CurrencyAmountOutput(
        many=True,
        help_text="Monthly recurring revenue of live subscriptions, at the terms in force, net of tax",
    )
    revenue = RevenueOutput(help_text="Payments and refunds")
    credits_this_month = CreditFlowOutput(help_text="Credits since the first of the month (UTC)")
    pending_approvals = WaitingOutput(help_text="Confirmed payments that wait for approval")
    failed_payments = FailedPaymentsOutput(help_text="Payments that failed")
    recent_activity = OperatorEventOutput(many=True, help_text="The last 20 events")
