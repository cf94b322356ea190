"""Input and output of the operators' operations on accounts."""

from rest_framework import serializers

from igny8_core.auth.models import AccountStatus, PaymentMethodType, Role, SuspendedReason
from igny8_core.business.billing.serializers import SubscriptionOutput
from igny8_core.common.api.fields import CurrencyField, EnumField, MoneyField, PlainTextField, WholeNumberField
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer

MAX_CREDITS = 1_000_000_000


class AccountRowOutput(OutputSerializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    slug = serializers.CharField()
    status = EnumField(AccountStatus, help_text="What the account may do now")
    plan = serializers.CharField(source="plan.slug")
    credits = serializers.IntegerField(help_text="Credits that can be spent now")
    owner_email = serializers.CharField(
        source="owner.email", default="", help_text="E-mail address of the owner; empty if there is none"
    )
    members = serializers.IntegerField(help_text="Number of active members")
    created_at = serializers.DateTimeField()


class AccountFullOutput(AccountRowOutput):
    suspended_reason = EnumField(SuspendedReason, allow_blank=True, help_text="Why it is suspended; empty if it is not")
    billing_email = serializers.CharField()
    billing_address_line1 = serializers.CharField()
    billing_address_line2 = serializers.CharField()
    billing_city = serializers.CharField()
    billing_state = serializers.CharField()
    billing_postal_code = serializers.CharField()
    billing_country = serializers.CharField()
    tax_id = serializers.CharField()
    timezone = serializers.CharField()
    payment_method = EnumField(PaymentMethodType, source="default_payment_method", help_text="Default payment method")
    deleted_at = serializers.DateTimeField(allow_null=True, help_text="When its owner deleted it; null if not")


class OperatorMemberOutput(OutputSerializer):
    id = serializers.IntegerField()
    email = serializers.CharField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    role = EnumField(Role, help_text="What the person may do in the account")
    is_active = serializers.BooleanField(help_text="Whether the person can log in")
    last_login = serializers.DateTimeField(allow_null=True, help_text="Last login to the console; null: never")


class OpenInvoiceOutput(OutputSerializer):
    id = serializers.IntegerField()
    invoice_number = serializers.CharField()
    total = MoneyField(help_text="Amount to pay")
    currency = CurrencyField()
    due_date = serializers.DateField()


class OperatorEventOutput(OutputSerializer):
    id = serializers.IntegerField()
    type = serializers.CharField()
    account_id = serializers.IntegerField(
        allow_null=True, help_text="Id of the account; null if the event is about none"
    )
    account_name = serializers.CharField(
        source="account.name", default="", help_text="Name of the account; empty if the event is about none"
    )
    object_type = serializers.CharField(help_text="Kind of the object that changed, as app.model")
    object_id = serializers.CharField(help_text="Id of the object that changed")
    actor = serializers.CharField(
        source="actor.email", default="", help_text="E-mail address of the actor; empty for the system itself"
    )
    data = serializers.JSONField(help_text="Details of the change, as they were then; the keys depend on the type")  # type: ignore[assignment]  # DRF takes fields out of the class, so nothing is hidden
    created_at = serializers.DateTimeField()


class AccountCountsOutput(OutputSerializer):
    sites = serializers.IntegerField(help_text="Sites of the account")
    invoices = serializers.IntegerField(help_text="Invoices of any status")
    open_invoices = serializers.IntegerField(help_text="Invoices that are not paid yet")
    payments_to_decide = serializers.IntegerField(help_text="Confirmed payments that wait for an operator")


class AccountDetailOutput(AccountFullOutput):
    subscription = SubscriptionOutput(allow_null=True, help_text="The live subscription; null if there is none")
    counts = AccountCountsOutput(help_text="Numbers of the account's objects")
    people = OperatorMemberOutput(many=True, help_text="At most 100 members")
    open_invoices = OpenInvoiceOutput(many=True, help_text="At most 100 open invoices, newest first")
    events = OperatorEventOutput(many=True, help_text="The last 10 events")


class ReasonInput(StrictSerializer):
    reason = PlainTextField(max_length=500, help_text="For operators, stored with the event")


class AccountStatusOutput(OutputSerializer):
    account_id = serializers.IntegerField(source="id")
    status = EnumField(AccountStatus, help_text="The account's new status")
    suspended_reason = EnumField(SuspendedReason, allow_blank=True, help_text="Why it is suspended; empty if it is not")


class AdjustInput(ReasonInput):
    amount = WholeNumberField(
        min_value=-MAX_CREDITS, max_value=MAX_CREDITS, help_text="Credits to add, or to take if negative"
    )

    def validate_amount(self, amount: int) -> int:
        """Raises ValidationError for 0."""
        if amount == 0:
            raise serializers.ValidationError("Write how many credits to add, or a negative number to take.")
        return amount


class AdjustOutput(OutputSerializer):
    account_id = serializers.IntegerField()
    amount = serializers.IntegerField(help_text="Credits added; negative if taken")
    credits = serializers.IntegerField(help_text="Balance afterwards")
    transaction_id = serializers.IntegerField(help_text="Id of the credit transaction")
