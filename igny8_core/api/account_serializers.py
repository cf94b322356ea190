"""What goes in and comes out of the operations on one's own account."""

from typing import Any

from rest_framework import serializers

from igny8_core.common.api.fields import MAX_PASSWORD_INPUT, IdField, SecretField
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer
from igny8_core.events.models import Event

# What an event's data may show to the account's own members. Whatever is not listed is for operators: notes, reasons
# that nobody was told, what the console edited.
SHOWN_DATA = frozenset(
    "amount at balance balance_after changed credit_note credits credits_not_recovered credits_taken_back currency"
    " display_name domain from industry invoice_number is_default left manual_reference members name payment_method"
    " plan reference role status suspended_reason threshold to total type user".split()
)
# Events whose reason the customer has been told.
REASON_TOLD = frozenset({"payment.refunded", "payment.rejected", "subscription.downgrade_refused"})
SUPPORT, FORMER_MEMBER = "support", "former member"


class LimitOutput(OutputSerializer):
    used = serializers.IntegerField(help_text="How much of it is used")
    max = serializers.IntegerField(help_text="How much the plan allows")
    percent = serializers.IntegerField(help_text="Rounded down; above 100 where more is used than the plan allows")


class CreditLimitOutput(LimitOutput):
    balance = serializers.IntegerField(help_text="What can be spent now, bought credits included")


class LimitsOutput(OutputSerializer):
    sites = LimitOutput(help_text="Sites of the account")
    users = LimitOutput(help_text="Active members and open invitations")
    credits = CreditLimitOutput(help_text="Spent in this period, of what the plan includes for one")


class TransferInput(StrictSerializer):
    user = IdField(help_text="Who becomes the owner: an active member")
    password = SecretField(max_length=MAX_PASSWORD_INPUT, help_text="Of who hands the account over")


class DeleteInput(StrictSerializer):
    password = SecretField(max_length=MAX_PASSWORD_INPUT, help_text="Of the owner, who deletes the account")


class ActivityOutput(OutputSerializer):
    id = serializers.IntegerField()
    type = serializers.CharField()
    actor = serializers.SerializerMethodField()
    object_type = serializers.CharField(help_text="Kind of what changed, as app.model")
    object_id = serializers.CharField(help_text="Id of what changed")
    data = serializers.SerializerMethodField()  # type: ignore[assignment]
    created_at = serializers.DateTimeField()

    def get_actor(self, event: Event) -> str | None:
        """A member's e-mail address, "support" for an operator, "former member", or nobody: the system itself."""
        if event.actor is None:
            return None
        if event.actor.account_id == event.account_id:
            return str(event.actor.email)
        return SUPPORT if event.actor.is_staff else FORMER_MEMBER

    def get_data(self, event: Event) -> dict[str, Any]:
        """What the account's members may know of it."""
        shown = SHOWN_DATA | {"reason"} if event.type in REASON_TOLD else SHOWN_DATA
        return {name: value for name, value in event.data.items() if name in shown}
