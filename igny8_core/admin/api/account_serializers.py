"""What goes in and comes out of the operators' operations on accounts."""

from rest_framework import serializers

from igny8_core.business.billing.serializers import SubscriptionOutput
from igny8_core.common.api.fields import MoneyField, PlainTextField, WholeNumberField
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer

MAX_CREDITS = 1_000_000_000


class AccountRowOutput(OutputSerializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    slug = serializers.CharField()
    status = serializers.CharField()
    plan = serializers.CharField(source="plan.slug")
    credits = serializers.IntegerField()
    owner_email = serializers.CharField(source="owner.email", default="")
    members = serializers.IntegerField(help_text="People who can log in")
    created_at = serializers.DateTimeField()


class AccountFullOutput(AccountRowOutput):
    suspended_reason = serializers.CharField(help_text="operator or non_payment; empty where not suspended")
    billing_email = serializers.CharField()
    billing_address_line1 = serializers.CharField()
    billing_address_line2 = serializers.CharField()
    billing_city = serializers.CharField()
    billing_state = serializers.CharField()
    billing_postal_code = serializers.CharField()
    billing_country = serializers.CharField()
    tax_id = serializers.CharField()
    timezone = serializers.CharField()
    payment_method = serializers.CharField(source="default_payment_method")
    deleted_at = serializers.DateTimeField(allow_null=True)


class StaffMemberOutput(OutputSerializer):
    id = serializers.IntegerField()
    email = serializers.CharField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    role = serializers.CharField()
    is_active = serializers.BooleanField()
    last_login = serializers.DateTimeField(allow_null=True)


class OpenInvoiceOutput(OutputSerializer):
    id = serializers.IntegerField()
    invoice_number = serializers.CharField()
    total = MoneyField()
    currency = serializers.CharField()
    due_date = serializers.DateField()


class StaffEventOutput(OutputSerializer):
    id = serializers.IntegerField()
    type = serializers.CharField()
    account_id = serializers.IntegerField(allow_null=True)
    account_name = serializers.CharField(source="account.name", default="")
    object_type = serializers.CharField()
    object_id = serializers.CharField()
    actor = serializers.CharField(source="actor.email", default="", help_text="E-mail; empty where nobody did it")
    data = serializers.JSONField()  # type: ignore[assignment]  # fields are taken out of the class: nothing is hidden
    created_at = serializers.DateTimeField()


class AccountCountsOutput(OutputSerializer):
    sites = serializers.IntegerField()
    invoices = serializers.IntegerField()
    open_invoices = serializers.IntegerField()
    payments_to_decide = serializers.IntegerField()


class AccountDetailOutput(AccountFullOutput):
    subscription = SubscriptionOutput(allow_null=True)
    counts = AccountCountsOutput()
    people = StaffMemberOutput(many=True, help_text="The first 100")
    open_invoices = OpenInvoiceOutput(many=True, help_text="The first 100, newest first")
    events = StaffEventOutput(many=True, help_text="The last 10")


class ReasonInput(StrictSerializer):
    reason = PlainTextField(max_length=500, help_text="Kept with the event")


class AccountStatusOutput(OutputSerializer):
    account_id = serializers.IntegerField(source="id")
    status = serializers.CharField()
    suspended_reason = serializers.CharField()


class AdjustInput(ReasonInput):
    amount = WholeNumberField(min_value=-MAX_CREDITS, max_value=MAX_CREDITS, help_text="Credits; negative takes away")

    def validate_amount(self, amount: int) -> int:
        """Raises ValidationError for nothing."""
        if amount == 0:
            raise serializers.ValidationError("A whole number of credits is expected, negative to take away; not 0.")
        return amount


class AdjustOutput(OutputSerializer):
    account_id = serializers.IntegerField()
    amount = serializers.IntegerField()
    credits = serializers.IntegerField(help_text="The balance afterwards")
    transaction_id = serializers.IntegerField(help_text="The row of the ledger")
