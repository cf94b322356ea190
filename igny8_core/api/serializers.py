"""What goes in and comes out of the operations on one's own account and team."""

from typing import Any

from rest_framework import serializers

from igny8_core.auth.api.serializers import MAX_PASSWORD_INPUT, MAX_TOKEN_INPUT, BillingDetailsInput, SecretField
from igny8_core.auth.models import InvitationState, Role, TeamInvitation
from igny8_core.common.api.fields import (
    EmailAddressField,
    IdField,
    PlainTextField,
    TimeZoneField,
)
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer
from igny8_core.events.models import Event

MAX_SITES_INPUT = 100
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


class SettingsInput(BillingDetailsInput):
    name = PlainTextField(max_length=200, required=False)
    timezone = TimeZoneField(required=False)


class LimitOutput(OutputSerializer):
    used = serializers.IntegerField()
    max = serializers.IntegerField()
    percent = serializers.IntegerField(help_text="Rounded down; above 100 where more is used than the plan allows")


class CreditLimitOutput(LimitOutput):
    balance = serializers.IntegerField(help_text="What can be spent now, bought credits included")


class LimitsOutput(OutputSerializer):
    sites = LimitOutput()
    users = LimitOutput(help_text="Active members and open invitations")
    credits = CreditLimitOutput(help_text="Spent in this period, of what the plan includes for one")


class TeamMemberOutput(OutputSerializer):
    id = serializers.IntegerField()
    email = serializers.EmailField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    role = serializers.CharField()
    is_active = serializers.BooleanField()
    date_joined = serializers.DateTimeField()


class RoleInput(StrictSerializer):
    role = serializers.ChoiceField(choices=Role.choices)


class InviteInput(StrictSerializer):
    email = EmailAddressField()
    role = serializers.ChoiceField(choices=Role.choices)
    sites = serializers.ListField(
        child=IdField(),
        required=False,
        allow_empty=False,
        max_length=MAX_SITES_INPUT,
        help_text="For an editor or viewer: ids of sites to give access to. Owners and admins get all.",
    )


class InvitationOutput(OutputSerializer):
    id = serializers.IntegerField()
    email = serializers.EmailField()
    role = serializers.CharField()
    sites = serializers.SerializerMethodField()
    status = serializers.ChoiceField(choices=InvitationState.choices)
    invited_by = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    accepted_at = serializers.DateTimeField(allow_null=True)
    canceled_at = serializers.DateTimeField(allow_null=True)

    def get_sites(self, invitation: TeamInvitation) -> list[int]:
        return [site.pk for site in invitation.sites.all()]

    def get_invited_by(self, invitation: TeamInvitation) -> str:
        return str(invitation.invited_by.email)


class AcceptInput(StrictSerializer):
    token = SecretField(max_length=MAX_TOKEN_INPUT)
    password = SecretField(max_length=MAX_PASSWORD_INPUT, required=False, help_text="Of who has no login yet")
    password_confirm = SecretField(max_length=MAX_PASSWORD_INPUT, required=False)
    first_name = PlainTextField(max_length=150, required=False)
    last_name = PlainTextField(max_length=150, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The token alone, or all that a new person says of themselves."""
        personal = ("password", "password_confirm", "first_name", "last_name")
        given = [name for name in personal if name in attrs]
        if given and len(given) < len(personal):
            missing = {name: ["This field is required."] for name in personal if name not in attrs}
            raise serializers.ValidationError(missing, code="required")
        if attrs.get("password") != attrs.pop("password_confirm", None):
            raise serializers.ValidationError({"password_confirm": ["The two passwords differ."]})
        return attrs


class TransferInput(StrictSerializer):
    user = IdField(help_text="Who becomes the owner: an active member")
    password = SecretField(max_length=MAX_PASSWORD_INPUT, help_text="Of who hands the account over")


class DeleteInput(StrictSerializer):
    password = SecretField(max_length=MAX_PASSWORD_INPUT)


class ActivityOutput(OutputSerializer):
    id = serializers.IntegerField()
    type = serializers.CharField()
    actor = serializers.SerializerMethodField()
    object_type = serializers.CharField()
    object_id = serializers.CharField()
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
