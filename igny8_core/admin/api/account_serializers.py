"""What goes in and comes out of the operators' operations on accounts."""

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
    credits = serializers.IntegerField(help_text="Balance that can be spent now")
    owner_email = serializers.CharField(
        source="owner.email", default="", help_text="Where its owner is reached; empty while it has none"
    )
    members = serializers.IntegerField(help_text="People who can log in")
    created_at = serializers.DateTimeField()


class AccountFullOutput(AccountRowOutput):
    suspended_reason = EnumField(
        SuspendedReason, allow_blank=True, help_text="Who suspended it; empty where it is not suspended"
    )
    billing_email = serializers.CharField()
    billing_address_line1 = serializers.CharField()
    billing_address_line2 = serializers.CharField()
    billing_city = serializers.CharField()
    billing_state = serializers.CharField()
    billing_postal_code = serializers.CharField()
    billing_country = serializers.CharField()
    tax_id = serializers.CharField()
    timezone = serializers.CharField()
    payment_method = EnumField(
        PaymentMethodType, source="default_payment_method", help_text="How it pays where nothing else is chosen"
    )
    deleted_at = serializers.DateTimeField(allow_null=True, help_text="When its owner deleted it; null: it lives")


class OperatorMemberOutput(OutputSerializer):
    id = serializers.IntegerField()
    email = serializers.CharField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    role = EnumField(Role, help_text="What the person may do in the account")
    is_active = serializers.BooleanField(help_text="Whether the person can log in")
    last_login = serializers.DateTimeField(allow_null=True, help_text="Null: the person has never logged in")


class OpenInvoiceOutput(OutputSerializer):
    id = serializers.IntegerField()
    invoice_number = serializers.CharField()
    total = MoneyField(help_text="What is to be paid")
    currency = CurrencyField()
    due_date = serializers.DateField()


class OperatorEventOutput(OutputSerializer):
    id = serializers.IntegerField()
    type = serializers.CharField()
    account_id = serializers.IntegerField(
        allow_null=True, help_text="Whose event it is; null where it is of no account"
    )
    account_name = serializers.CharField(
        source="account.name", default="", help_text="Name of that account; empty where the event is of no account"
    )
    object_type = serializers.CharField(help_text="Kind of what changed, as app.model")
    object_id = serializers.CharField(help_text="Id of what changed")
    actor = serializers.CharField(source="actor.email", default="", help_text="E-mail; empty where nobody did it")
    data = serializers.JSONField(help_text="What the event says, as it was then; its keys depend on the type")  # type: ignore[assignment]  # fields are taken out of the class: nothing is hidden
    created_at = serializers.DateTimeField()


class AccountCountsOutput(OutputSerializer):
    sites = serializers.IntegerField(help_text="Sites of the account")
    invoices = serializers.IntegerField(help_text="Invoices of any status")
    open_invoices = serializers.IntegerField(help_text="Invoices that are still to be paid")
    payments_to_decide = serializers.IntegerField(help_text="Confirmed payments that wait for an operator")


class AccountDetailOutput(AccountFullOutput):
    subscription = SubscriptionOutput(allow_null=True, help_text="Null while no plan has been ordered")
    counts = AccountCountsOutput(help_text="How much the account has of what")
    people = OperatorMemberOutput(many=True, help_text="The first 100")
    open_invoices = OpenInvoiceOutput(many=True, help_text="The first 100, newest first")
    events = OperatorEventOutput(many=True, help_text="The last 10")


class ReasonInput(StrictSerializer):
    reason = PlainTextField(max_length=500, help_text="Kept with the event")


class AccountStatusOutput(OutputSerializer):
    account_id = serializers.IntegerField(source="id")
    status = EnumField(AccountStatus, help_text="What the account may do from now on")
    suspended_reason = EnumField(
        SuspendedReason, allow_blank=True, help_text="Who suspended it; empty where it is not suspended"
    )


class AdjustInput(ReasonInput):
    amount = WholeNumberField(min_value=-MAX_CREDITS, max_value=MAX_CREDITS, help_text="Credits; negative takes away")

    def validate_amount(self, amount: int) -> int:
        """Raises ValidationError for nothing."""
        if amount == 0:
            raise serializers.ValidationError("A whole number of credits is expected, negative to take away; not 0.")
        return amount


class AdjustOutput(OutputSerializer):
    account_id = serializers.IntegerField()
    amount = serializers.IntegerField(help_text="Credits that were added; negative where they were taken away")
    credits = serializers.IntegerField(help_text="The balance afterwards")
    transaction_id = serializers.IntegerField(help_text="The row of the ledger")
