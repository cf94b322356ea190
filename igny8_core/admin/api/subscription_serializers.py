"""Output of the operators' operations on subscriptions."""

from rest_framework import serializers

from igny8_core.admin.api.invoice_serializers import OperatorInvoiceOutput
from igny8_core.auth.models import BillingDriver
from igny8_core.business.billing.serializers import SubscriptionOutput
from igny8_core.common.api.fields import EnumField
from igny8_core.common.api.serializers import OutputSerializer


class OperatorSubscriptionOutput(SubscriptionOutput):
    account_id = serializers.IntegerField()
    account_name = serializers.CharField(source="account.name")
    billing_driver = EnumField(BillingDriver, help_text="Who bills it: local for us, stripe if Stripe does")
    created_at = serializers.DateTimeField(help_text="When it was ordered")


class PlanChangeOutput(OutputSerializer):
    subscription = OperatorSubscriptionOutput(help_text="The subscription as it is now")
    invoice = OperatorInvoiceOutput(allow_null=True, help_text="The invoice to pay first; null if there is none")
