"""What comes out of the operators' operations on subscriptions."""

from rest_framework import serializers

from igny8_core.admin.api.invoice_serializers import OperatorInvoiceOutput
from igny8_core.auth.models import BillingDriver
from igny8_core.business.billing.serializers import SubscriptionOutput
from igny8_core.common.api.fields import EnumField
from igny8_core.common.api.serializers import OutputSerializer


class OperatorSubscriptionOutput(SubscriptionOutput):
    account_id = serializers.IntegerField(help_text="Whose it is")
    account_name = serializers.CharField(source="account.name", help_text="The account's name")
    billing_driver = EnumField(BillingDriver, help_text="Who bills it: local, or stripe for one that was made there")
    created_at = serializers.DateTimeField(help_text="When it was ordered")


class PlanChangeOutput(OutputSerializer):
    subscription = OperatorSubscriptionOutput(help_text="As it is now")
    invoice = OperatorInvoiceOutput(allow_null=True, help_text="What has to be paid first; null where nothing has")
