"""Console pages of invitations to the console: who was invited with which role, and by whom."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.decorators import action as page_action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminSelectWidget

from igny8_core.auth.confirming import require_confirmed_operator
from igny8_core.auth.models import InvitationState, OperatorInvitation
from igny8_core.auth.permissions import operator_of
from igny8_core.auth.serializers import PersonInput
from igny8_core.auth.services.operators import (
    cancel_operator_invitation,
    invite_operator,
    may_invite_as,
    resend_operator_invitation,
)
from igny8_core.common.errors import DomainError
from igny8_core.common.strict_forms import StrictForm
from igny8_core.console.columns import label, moment
from igny8_core.console.dialogs import ConfirmDialog, decided, led_to, row_id
from igny8_core.console.pages import ReadOnlyAdmin

STATE_TONES = {InvitationState.OPEN: "info", InvitationState.ACCEPTED: "success", InvitationState.EXPIRED: "warning"}


class InviteDialog(StrictForm, BaseDialogForm):  # type: ignore[misc]
    """The dialog to invite an operator; it offers the roles that the inviter may give."""

    rules = PersonInput
    email = forms.CharField(
        label="E-mail address",
        widget=UnfoldAdminEmailInputWidget(),
        help_text="Of the person alone, and not one that a customer logs in with.",
    )
    group = forms.ChoiceField(
        label="Role",
        widget=UnfoldAdminSelectWidget(),
        help_text="What each may do is on its page under Operator groups.",
    )
    field_order = ("email", "group")

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        inviter, groups = operator_of(self.request), Group.objects.order_by("name")
        self.groups = {str(group.pk): group for group in groups if may_invite_as(group, inviter)}
        offered = cast(forms.ChoiceField, self.fields["group"])
        offered.choices = [(pk, group.name) for pk, group in self.groups.items()]


@admin.register(OperatorInvitation)
class OperatorInvitationAdmin(ReadOnlyAdmin):
    """Invitations to the console. Their tokens are stored nowhere and shown to nobody."""

    list_display = ("id", "email", "group", "status_shown", "invited_by", "sent", "expires")
    list_select_related = ("group", "invited_by")
    search_fields = ("email",)
    search_help_text = "Search by e-mail address"
    actions_list = ("invite",)
    actions_detail = ("resend", "cancel")
    fields = (("email", "group"), ("status_shown", "invited_by"), ("sent", "expires"), ("accepted", "canceled"))

    sent = moment("sent_at")
    expires = moment("expires_at")
    accepted = moment("accepted_at")
    canceled = moment("canceled_at")

    @admin.display(description="status")
    def status_shown(self, invitation: OperatorInvitation) -> str:
        """Open, expired, accepted or canceled."""
        return label(str(invitation.status.label), STATE_TONES.get(invitation.status, ""))

    def has_invite_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Operators who may see invitations and invite."""
        return self.has_view_permission(request) and request.user.has_perm("igny8_auth.invite_operator")

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """The buttons, while nobody has accepted it and it was not taken back."""
        waits = OperatorInvitation.objects.filter(pk=row_id(object_id), accepted_at=None, canceled_at=None)
        buttons: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return buttons if waits.exists() else []

    @page_action(  # type: ignore[untyped-decorator]
        description="Invite an operator",
        permissions=["invite"],
        icon="person_add",
        dialog={
            "title": "Invite somebody to work in the console",
            "description": "They get a mail with a link, which works once, for three days. With it they choose their "
            "password; the second factor follows at their first login. Nobody gives more than they may themselves.",
            "form_class": InviteDialog,
            "form_submit_text": "Send the invitation",
        },
    )
    def invite(self, request: HttpRequest, form: InviteDialog) -> HttpResponse:
        """Invite the person of the dialog."""
        require_confirmed_operator(request)
        inputs: dict[str, Any] = form.cleaned_data
        try:
            invitation = invite_operator(inputs["email"], form.groups[inputs["group"]], operator_of(request))
        except DomainError as refusal:
            messages.warning(request, refusal.text)
        else:
            messages.success(request, f"An invitation as {invitation.group} is on its way to {invitation.email}.")
        return led_to(request, reverse("admin:igny8_auth_operatorinvitation_changelist"))

    @page_action(  # type: ignore[untyped-decorator]
        description="Send again",
        permissions=["invite"],
        icon="forward_to_inbox",
        dialog={
            "title": "Send this invitation again",
            "description": "With a new link, for three days. The link of the mail before stops working.",
            "form_class": ConfirmDialog,
            "form_submit_text": "Send it again",
        },
    )
    def resend(self, request: HttpRequest, form: ConfirmDialog, object_id: str) -> HttpResponse:
        """Send the invitation of the page again."""
        require_confirmed_operator(request)

        def resent() -> str:
            return f"A new link is on its way to {resend_operator_invitation(row_id(object_id), operator_of(request))}."

        return decided(request, "igny8_auth_operatorinvitation", object_id, resent)

    @page_action(  # type: ignore[untyped-decorator]
        description="Take back",
        permissions=["invite"],
        icon="cancel",
        variant=ActionVariant.DANGER,
        dialog={
            "title": "Take this invitation back",
            "description": "Its link stops working at once. The person is not told.",
            "form_class": ConfirmDialog,
            "form_submit_text": "Take it back",
        },
    )
    def cancel(self, request: HttpRequest, form: ConfirmDialog, object_id: str) -> HttpResponse:
        """Take the invitation of the page back."""

        def canceled() -> str:
            cancel_operator_invitation(row_id(object_id), operator_of(request))
            return "The invitation was taken back. Its link does not work any more."

        return decided(request, "igny8_auth_operatorinvitation", object_id, canceled)
