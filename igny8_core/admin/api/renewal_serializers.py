"""Output of the operators' operations on renewals."""

from rest_framework import serializers

from igny8_core.business.billing.models import InvoiceStatus, RenewalStatus
from igny8_core.common.api.fields import CurrencyField, EnumField, MoneyField
from igny8_core.common.api.serializers import OutputSerializer


class RenewalOutput(OutputSerializer):
    id = serializers.IntegerField()
    account_id = serializers.IntegerField()
    account_name = serializers.CharField(source="account.name")
    subscription_id = serializers.IntegerField(help_text="Id of the subscription that is renewed")
    plan = serializers.CharField(source="subscription.plan.slug", help_text="Slug of the subscription's plan")
    status = EnumField(RenewalStatus, help_text="open: invoiced; paid: paid before its period; begun; withdrawn")
    period_start = serializers.DateTimeField(help_text="When the period that it sells begins, in UTC")
    period_end = serializers.DateTimeField(help_text="When that period ends, in UTC")
    invoice_id = serializers.IntegerField()
    invoice_number = serializers.CharField(source="invoice.invoice_number")
    invoice_status = EnumField(InvoiceStatus, source="invoice.status", help_text="Whether its invoice is paid")
    total = MoneyField(source="invoice.total", currency_source="invoice.currency", help_text="What the period costs")
    currency = CurrencyField(source="invoice.currency")
    next_charge_at = serializers.DateTimeField(
        allow_null=True, help_text="When the saved card is charged; null if it is not, or not again"
    )
    last_charged_at = serializers.DateTimeField(allow_null=True, help_text="When the card was charged last")
    declines = serializers.IntegerField(help_text="How often the card was declined")
    last_decline = serializers.CharField(help_text="The gateway's word for the last decline; can be empty")
    begun_at = serializers.DateTimeField(allow_null=True, help_text="When the period was begun")


class RenewalCountsOutput(OutputSerializer):
    ahead = serializers.IntegerField(help_text="Invoiced, and due later")
    behind = serializers.IntegerField(help_text="Due and unpaid")
    paid_ahead = serializers.IntegerField(help_text="Paid before their period")
    declined = serializers.IntegerField(help_text="Open, and the card was declined")
    charged_within_a_day = serializers.IntegerField(help_text="Whose saved card is charged within 24 hours")
