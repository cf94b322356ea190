"""The team of the caller's account: members and invitations; joining a team."""

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.api.team_serializers import AcceptInput, InvitationOutput, InviteInput, RoleInput, TeamMemberOutput
from igny8_core.auth.devices import place_of
from igny8_core.auth.errors import (
    AccountCanceled,
    AccountSuspended,
    AlreadyMember,
    InvitationForAnother,
    InvitationGone,
    InvitationNotOpen,
    InvitationOpen,
    LastOwner,
    LimitReached,
    LoginExists,
    MemberElsewhere,
    OwnerProtected,
    OwnRole,
    PaymentRequired,
    RoleAboveOwn,
    RoleChanged,
    TeamNotManaged,
)
from igny8_core.auth.models import InvitationState, TeamInvitation, User
from igny8_core.auth.permissions import CanManageTeam, IsMember, account_of, caller_if_any, user_of
from igny8_core.auth.selectors import invitations_of, invitations_with_status, members_of
from igny8_core.auth.serializers import LoginOutput, logged_in
from igny8_core.auth.services.invitations import (
    NewPerson,
    accept_invitation,
    cancel_invitation,
    invite,
    resend_invitation,
)
from igny8_core.auth.services.login_guard import note_place
from igny8_core.auth.services.memberships import change_role, remove_member
from igny8_core.auth.services.sessions import open_session
from igny8_core.auth.throttles import TokenThrottle
from igny8_core.common.api.envelope import success
from igny8_core.common.api.permissions import PublicEndpoint
from igny8_core.common.api.query import Filter
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.throttling import UserThrottle
from igny8_core.common.api.views import ListViewSet
from igny8_core.common.errors import NotFound


class InviteThrottle(UserThrottle):
    scope = "invite"


@extend_schema_view(list=extend_schema(operation_id="list_team"))
class TeamMemberViewSet(ListViewSet):
    """The account's members."""

    tag = "team"
    permission_classes = (IsMember,)
    lookup_url_kwarg = "user_id"
    serializer_class = TeamMemberOutput
    orderings = {"email": "email", "date_joined": "date_joined"}
    default_ordering = "email"

    def rows(self) -> QuerySet[User]:
        return members_of(account_of(self.request))

    @extend_schema(operation_id="remove_member", responses={200: None})
    @refuses(TeamNotManaged, OwnerProtected, LastOwner)
    def destroy(self, request: Request, user_id: int) -> Response:
        """Remove a member, or leave the account with your own id. Sessions and access to sites end at once.

        Owners can remove everybody; admins can remove everybody but owners. The last active owner cannot be removed.
        """
        remove_member(account_of(request), user_id, user_of(request))
        return success(message=_("Membership ended."))

    @extend_schema(operation_id="change_role", request=RoleInput, responses=TeamMemberOutput)
    @action(detail=True, methods=["patch"])
    @refuses(TeamNotManaged, OwnerProtected, RoleAboveOwn, OwnRole, LastOwner, RoleChanged)
    def role(self, request: Request, user_id: int) -> Response:
        """Change the role of another member, up to your own role. The last active owner cannot be changed."""
        given = self.validated(RoleInput)
        member = change_role(
            account_of(request), user_id, given["role"], user_of(request), given.get("present_role", "")
        )
        return success(TeamMemberOutput(member).data, _("Saved."))

    @extend_schema(operation_id="invite", request=InviteInput, responses={201: InvitationOutput})
    @action(detail=False, methods=["post"], throttle_classes=(InviteThrottle,))
    @refuses(
        TeamNotManaged,
        RoleAboveOwn,
        AlreadyMember,
        InvitationOpen,
        LimitReached,
        PaymentRequired,
        AccountSuspended,
        AccountCanceled,
    )
    def invite(self, request: Request) -> Response:
        """Invite an e-mail address with a role, up to your own role and the plan's `max_users`."""
        given = self.validated(InviteInput)
        invitation = invite(
            account_of(request),
            user_of(request),
            email=given["email"],
            role=given["role"],
            site_ids=given.get("sites", []),
        )
        return success(InvitationOutput(invitation).data, _("Invitation sent."), status=201)


def _with_status(rows: QuerySet[TeamInvitation], value: str) -> QuerySet[TeamInvitation]:
    if value not in InvitationState.values:
        raise ValidationError(_("Expected one of: %(known)s.") % {"known": ", ".join(InvitationState.values)})
    return invitations_with_status(rows, value)


@extend_schema_view(list=extend_schema(operation_id="list_invitations"))
class InvitationViewSet(ListViewSet):
    """The account's invitations, open and past."""

    tag = "team"
    permission_classes = (CanManageTeam,)
    lookup_url_kwarg = "invitation_id"
    serializer_class = InvitationOutput
    filters = {"status": Filter(_with_status, {"type": "string", "enum": InvitationState.values})}
    orderings = {"created_at": "id", "email": "email"}
    default_ordering = "-created_at"

    def rows(self) -> QuerySet[TeamInvitation]:
        return invitations_of(account_of(self.request))

    @extend_schema(operation_id="cancel_invitation", responses={200: None})
    @refuses(TeamNotManaged, OwnerProtected, InvitationNotOpen)
    def destroy(self, request: Request, invitation_id: int) -> Response:
        """Cancel an open invitation. Its link stops working."""
        cancel_invitation(account_of(request), invitation_id, user_of(request))
        return success(message=_("Invitation canceled."))

    @extend_schema(operation_id="resend_invitation", request=None, responses=InvitationOutput)
    @action(detail=True, methods=["post"], throttle_classes=(InviteThrottle,))
    @refuses(
        TeamNotManaged,
        RoleAboveOwn,
        InvitationNotOpen,
        LimitReached,
        PaymentRequired,
        AccountSuspended,
        AccountCanceled,
    )
    def resend(self, request: Request, invitation_id: int) -> Response:
        """Send an open invitation again, with a new link that works for a week. The old link stops working."""
        invitation = resend_invitation(account_of(request), invitation_id, user_of(request))
        return success(InvitationOutput(invitation).data, _("Invitation sent again."))

    @extend_schema(operation_id="accept_invitation", request=AcceptInput, responses=LoginOutput)
    @action(detail=False, methods=["post"], permission_classes=(PublicEndpoint,), throttle_classes=(TokenThrottle,))
    @refuses(
        NotFound,
        InvitationGone,
        InvitationForAnother,
        AlreadyMember,
        MemberElsewhere,
        LoginExists,
        LimitReached,
        PaymentRequired,
        AccountSuspended,
        AccountCanceled,
    )
    def accept(self, request: Request) -> Response:
        """Join a team with the e-mailed token, either logged in or as a new person with password and name.

        If you are logged in, your e-mail address must be the invited one, and you must not belong to an account yet.
        """
        given = self.validated(AcceptInput)
        token = given.pop("token")
        caller = caller_if_any(request)
        member = accept_invitation(token, caller.user if caller else None, NewPerson(**given) if given else None)
        place = place_of(request)
        note_place(member, place)
        return success(LoginOutput(logged_in(member, open_session(member, place.browser))).data, "Welcome!")
