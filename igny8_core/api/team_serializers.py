"""What goes in and comes out of the operations on one's own team."""

from typing import Any

from rest_framework import serializers

from igny8_core.auth.models import InvitationState, Role, TeamInvitation
from igny8_core.common.api.fields import (
    MAX_PASSWORD_INPUT,
    MAX_TOKEN_INPUT,
    EmailAddressField,
    IdField,
    PlainTextField,
    SecretField,
)
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer

MAX_SITES_INPUT = 100


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
