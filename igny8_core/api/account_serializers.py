"""Input and output of the operations on the caller's account."""

from typing import Any

from rest_framework import serializers

from igny8_core.auth.models import Account, LoginSession
from igny8_core.auth.permissions import caller_of
from igny8_core.auth.selectors import settings_version
from igny8_core.auth.serializers import AccountOutput, SettingsInput
from igny8_core.common.api.fields import MAX_PASSWORD_INPUT, IdField, PlainTextField, SecretField
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer
from igny8_core.events.models import Event

# The keys of an event's data that members may see. Others are for operators: notes, internal reasons, console edits.
SHOWN_DATA = frozenset(
    "amount at balance balance_after changed credit_note credits credits_not_recovered credits_taken_back currency"
    " display_name domain from industry invoice_number is_default left manual_reference members name payment_method"
    " plan reference role status suspended_reason threshold to total type user".split()
)
# Events whose reason was told to the customer.
REASON_TOLD = frozenset({"payment.refunded", "payment.rejected", "subscription.downgrade_refused"})
SUPPORT, FORMER_MEMBER = "support", "former member"


class OwnerOutput(OutputSerializer):
    id = serializers.IntegerField()
    email = serializers.EmailField()
    full_name = serializers.CharField(help_text="First and last name")


class SettingsOutput(AccountOutput):
    owner = OwnerOutput(help_text="Who owns the account")
    version = serializers.SerializerMethodField(
        help_text="A mark of the settings as they are; sent along with a change, it is refused once they are others"
    )

    def get_version(self, account: Account) -> str:
        return settings_version(account)


class OwnSettingsInput(SettingsInput):
    version = PlainTextField(
        max_length=64,
        required=False,
        help_text="`version` of the settings that you looked at. If they were changed meanwhile, nothing is saved.",
    )


class SessionOutput(serializers.Serializer[LoginSession]):
    """`context["request"]` has to be the request of whose sessions they are."""

    id = serializers.UUIDField()
    browser = serializers.CharField(help_text="The kind of browser, such as Firefox on Windows; empty for a program")
    created_at = serializers.DateTimeField(help_text="When you logged in, in UTC")
    used_at = serializers.DateTimeField(allow_null=True, help_text="Its last use, to the minute; null: none since")
    is_current = serializers.SerializerMethodField(help_text="Whether this request comes from it")

    def get_is_current(self, session: LoginSession) -> bool:
        return str(session.pk) == caller_of(self.context["request"]).session_id


class LimitOutput(OutputSerializer):
    used = serializers.IntegerField(help_text="How much is used")
    max = serializers.IntegerField(help_text="How much the plan allows")
    percent = serializers.IntegerField(help_text="Share that is used, rounded down; can be above 100")


class CreditLimitOutput(LimitOutput):
    balance = serializers.IntegerField(help_text="Credits that can be spent now, including bought ones")


class LimitsOutput(OutputSerializer):
    sites = LimitOutput(help_text="Sites of the account")
    users = LimitOutput(help_text="Active members and open invitations")
    credits = CreditLimitOutput(help_text="Credits spent in this period, of those included per period")


YOUR_OWN = "Your password; not needed if you have just confirmed that it is you (POST /api/v1/auth/confirm/)"


class TransferInput(StrictSerializer):
    user = IdField(help_text="Id of the active member who becomes the owner")
    password = SecretField(max_length=MAX_PASSWORD_INPUT, required=False, help_text=YOUR_OWN)


class DeleteInput(StrictSerializer):
    password = SecretField(max_length=MAX_PASSWORD_INPUT, required=False, help_text=YOUR_OWN)


class ActivityOutput(OutputSerializer):
    id = serializers.IntegerField()
    type = serializers.CharField()
    actor = serializers.SerializerMethodField()
    object_type = serializers.CharField(help_text="Kind of the object that changed, as app.model")
    object_id = serializers.CharField(help_text="Id of the object that changed")
    data = serializers.SerializerMethodField()  # type: ignore[assignment]
    created_at = serializers.DateTimeField()

    def get_actor(self, event: Event) -> str | None:
        """A member's e-mail address, "support" for an operator, "former member", or null for the system itself."""
        if event.actor is None:
            return None
        if event.actor.account_id == event.account_id:
            return str(event.actor.email)
        return SUPPORT if event.actor.is_staff else FORMER_MEMBER

    def get_data(self, event: Event) -> dict[str, Any]:
        """The details that members may see."""
        shown = SHOWN_DATA | {"reason", "reason_code"} if event.type in REASON_TOLD else SHOWN_DATA
        return {name: value for name, value in event.data.items() if name in shown}
