"""Input and output of the operations on the team."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from igny8_core.auth.models import InvitationState, Role, TeamInvitation
from igny8_core.common.api.fields import (
    MAX_PASSWORD_INPUT,
    MAX_TOKEN_INPUT,
    EmailAddressField,
    EnumField,
    IdField,
    NameField,
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
    is_active = serializers.BooleanField(help_text="False: the person can no longer log in")
    date_joined = serializers.DateTimeField(help_text="When the login was created, in UTC")


class RoleInput(StrictSerializer):
    role = serializers.ChoiceField(choices=Role.choices, help_text="The new role, up to your own")
    present_role = serializers.ChoiceField(
        choices=Role.choices,
        required=False,
        help_text="The role that you see now. If somebody gave the member another one meanwhile, nothing is changed.",
    )


class InviteInput(StrictSerializer):
    email = EmailAddressField(help_text="The address to invite")
    role = serializers.ChoiceField(choices=Role.choices, help_text="The role that the person gets, up to your own")
    sites = serializers.ListField(
        child=IdField(),
        required=False,
        allow_empty=False,
        max_length=MAX_SITES_INPUT,
        help_text="Ids of sites that an editor or viewer gets access to. Owners and admins get access to all sites.",
    )


class InvitationOutput(OutputSerializer):
    id = serializers.IntegerField()
    email = serializers.EmailField(help_text="The invited address")
    role = EnumField(Role, help_text="The role that the person gets")
    sites = serializers.SerializerMethodField(help_text="Ids of the sites that the person gets access to")
    status = EnumField(InvitationState, help_text="Whether it can still be accepted")
    invited_by = serializers.SerializerMethodField(help_text="E-mail address of the sender")
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(help_text="When it expires")
    accepted_at = serializers.DateTimeField(allow_null=True, help_text="Null if it was not accepted")
    canceled_at = serializers.DateTimeField(allow_null=True, help_text="Null if it was not canceled")

    def get_sites(self, invitation: TeamInvitation) -> list[int]:
        return [site.pk for site in invitation.sites.all()]

    def get_invited_by(self, invitation: TeamInvitation) -> str:
        return str(invitation.invited_by.email)


class AcceptInput(StrictSerializer):
    token = SecretField(max_length=MAX_TOKEN_INPUT, help_text="The token in the e-mailed link")
    password = SecretField(max_length=MAX_PASSWORD_INPUT, required=False, help_text="For a person without a login")
    password_confirm = SecretField(max_length=MAX_PASSWORD_INPUT, required=False)
    first_name = NameField(max_length=150, required=False)
    last_name = NameField(max_length=150, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Requires the token alone, or all details of a new person. Raises ValidationError."""
        personal = ("password", "password_confirm", "first_name", "last_name")
        given = [name for name in personal if name in attrs]
        if given and len(given) < len(personal):
            missing = {name: [_("This field is required.")] for name in personal if name not in attrs}
            raise serializers.ValidationError(missing, code="required")
        if normalized_password(attrs.get("password", "")) != normalized_password(attrs.pop("password_confirm", "")):
            raise serializers.ValidationError({"password_confirm": [_("The two passwords differ.")]})
        return attrs
