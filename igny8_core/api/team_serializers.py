"""What goes in and comes out of the operations on one's own team."""

from typing import Any

from rest_framework import serializers

from igny8_core.auth.models import InvitationState, Role, TeamInvitation
from igny8_core.common.api.fields import (
    MAX_PASSWORD_INPUT,
    MAX_TOKEN_INPUT,
    EmailAddressField,
    EnumField,
    IdField,
    PlainTextField,
    SecretField,
)
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer
from igny8_core.common.text import normalized_password

MAX_SITES_INPUT = 100


class TeamMemberOutput(OutputSerializer):
    id = serializers.IntegerField()
    email = serializers.EmailField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    role = EnumField(Role, help_text="What the person may do in the account")
    is_active = serializers.BooleanField(help_text="False: the person cannot log in any more")
    date_joined = serializers.DateTimeField(help_text="When the person got their login, in UTC")


class RoleInput(StrictSerializer):
    role = serializers.ChoiceField(
        choices=Role.choices, help_text="What the member may do from now on; only owners make owners"
    )


class InviteInput(StrictSerializer):
    email = EmailAddressField(help_text="Where the invitation is sent")
    role = serializers.ChoiceField(
        choices=Role.choices, help_text="What the person will be allowed to do; only owners make owners"
    )
    sites = serializers.ListField(
        child=IdField(),
        required=False,
        allow_empty=False,
        max_length=MAX_SITES_INPUT,
        help_text="For an editor or viewer: ids of sites to give access to. Owners and admins get all.",
    )


class InvitationOutput(OutputSerializer):
    id = serializers.IntegerField()
    email = serializers.EmailField(help_text="Where it was sent")
    role = EnumField(Role, help_text="What the person will be allowed to do")
    sites = serializers.SerializerMethodField(help_text="Ids of the sites that it gives access to")
    status = EnumField(InvitationState, help_text="Whether it can still be accepted")
    invited_by = serializers.SerializerMethodField(help_text="E-mail address of who sent it")
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(help_text="Until when it can be accepted")
    accepted_at = serializers.DateTimeField(allow_null=True, help_text="Null where it was not accepted")
    canceled_at = serializers.DateTimeField(allow_null=True, help_text="Null where it was not canceled")

    def get_sites(self, invitation: TeamInvitation) -> list[int]:
        return [site.pk for site in invitation.sites.all()]

    def get_invited_by(self, invitation: TeamInvitation) -> str:
        return str(invitation.invited_by.email)


class AcceptInput(StrictSerializer):
    token = SecretField(max_length=MAX_TOKEN_INPUT, help_text="From the link of the invitation's e-mail")
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
        if normalized_password(attrs.get("password", "")) != normalized_password(attrs.pop("password_confirm", "")):
            raise serializers.ValidationError({"password_confirm": ["The two passwords differ."]})
        return attrs
