"""Inviting people to work in the console, with the link of a mail.

An operator's login is a login of its own: an address that a customer logs in with cannot become one, so that a stolen
customer's password opens no console, and leaving a team takes no operator's login away.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import Group
from django.utils.crypto import constant_time_compare, salted_hmac

from igny8_core.auth.errors import (
    InvitationGone,
    InvitationNotOpen,
    InvitationOpen,
    IsCustomer,
    IsOperatorAlready,
    RoleAboveOwnPowers,
)
from igny8_core.auth.models import InvitationState, OperatorInvitation, User
from igny8_core.auth.selectors import user_by_email
from igny8_core.auth.services.users import hashed
from igny8_core.common import clock
from igny8_core.common.db import refusing, service_transaction
from igny8_core.common.errors import NotFound
from igny8_core.common.signed_texts import BadSignature, keys, opened, signed
from igny8_core.events import services as events

LIFETIME = timedelta(days=3)
SALT = "igny8_core.auth.operator_invitation"


@dataclass(frozen=True)
class NewOperator:
    """What an invited person says of themselves."""

    password: str
    first_name: str
    last_name: str


@service_transaction
def invite_operator(email: str, group: Group, invited_by: User) -> OperatorInvitation:
    """Invite an e-mail address to work in the console with the role of a group; the mail holds the link.

    Raises RoleAboveOwnPowers, IsCustomer, IsOperatorAlready, InvitationOpen.
    """
    _require_within_powers(group, invited_by)
    _require_free(email)
    for earlier in OperatorInvitation.objects.filter(email=email, accepted_at=None, canceled_at=None):
        if earlier.status == InvitationState.OPEN:
            raise InvitationOpen()
        _cancel(earlier, invited_by)
    invitation = OperatorInvitation(email=email, group=group, invited_by=invited_by)
    invitation.expires_at = clock.now() + LIFETIME
    with refusing("igny8_operator_invitations_one_open", InvitationOpen()):
        invitation.save()
    events.record(_event("operator_invitation.created", invitation, invited_by, role=group.name))
    return invitation


@service_transaction
def resend_operator_invitation(invitation_id: int, resent_by: User) -> OperatorInvitation:
    """Send an invitation again that nobody accepted, also an expired one; the old link stops working.

    Raises NotFound, InvitationNotOpen, InvitationGone where its group was deleted, RoleAboveOwnPowers, IsCustomer,
    IsOperatorAlready.
    """
    invitation = _unanswered(invitation_id)
    if invitation.group is None:
        raise InvitationGone()
    _require_within_powers(invitation.group, resent_by)
    _require_free(invitation.email)
    now = clock.now()
    invitation.sent_at, invitation.expires_at, invitation.invited_by = now, now + LIFETIME, resent_by
    invitation.save(update_fields=["sent_at", "expires_at", "invited_by"])
    events.record(_event("operator_invitation.resent", invitation, resent_by))
    return invitation


@service_transaction
def cancel_operator_invitation(invitation_id: int, canceled_by: User) -> None:
    """Take an invitation back; its link opens nothing any more. Raises NotFound, InvitationNotOpen."""
    _cancel(_unanswered(invitation_id), canceled_by)


def open_operator_invitation(token: str) -> OperatorInvitation:
    """The open invitation of a mailed token, from somebody who may still give its role.

    Raises NotFound for a token that is not ours, InvitationGone for one that was used, canceled, replaced or ran out.
    """
    try:
        number, state = opened(token, salt=SALT).split(".")
    except BadSignature:
        raise NotFound() from None
    found = OperatorInvitation.objects.select_related("group", "invited_by").filter(pk=number).first()
    if found is None or found.status != InvitationState.OPEN or found.group is None:
        raise InvitationGone()
    if not any(constant_time_compare(state, _state(found, key)) for key in keys()):
        raise InvitationGone()
    if not may_invite_as(found.group, found.invited_by):
        raise InvitationGone()
    return found


def accept_operator_invitation(token: str, person: NewOperator) -> User:
    """Make the operator whom a mailed token invites, once. They log in afterwards, with the second step that is due.

    Raises NotFound, InvitationGone, InvalidInput for a weak password, IsCustomer, IsOperatorAlready.
    """
    invitation = open_operator_invitation(token)
    names = {"first_name": person.first_name, "last_name": person.last_name}
    operator = User(email=invitation.email, is_staff=True, email_verified_at=clock.now(), **names)
    # Before the transaction, because a password takes a tenth of a second to hash.
    operator.password = hashed(person.password, operator, field="password")
    return _accept(token, operator)


def operator_invitation_token(invitation: OperatorInvitation) -> str:
    """The token for the mail; the same whenever the mail is written, another one once it is sent again."""
    text = f"{invitation.pk}.{_state(invitation, keys()[0])}"
    return signed(text, salt=SALT, moment=invitation.sent_at)


def may_invite_as(group: Group, inviter: User) -> bool:
    """Whether somebody may give a group: who may invite, and has all its powers themselves."""
    if not inviter.is_active or not inviter.is_staff or not inviter.has_perm("igny8_auth.invite_operator"):
        return False
    given = group.permissions.values_list("content_type__app_label", "codename")
    return inviter.has_perms([f"{app}.{codename}" for app, codename in given])


@service_transaction
def _accept(token: str, operator: User) -> User:
    invitation = open_operator_invitation(token)
    _require_free(operator.email)
    # One conditional UPDATE: of two clicks at once, the row count lets one through.
    unused = OperatorInvitation.objects.filter(
        pk=invitation.pk, sent_at=invitation.sent_at, accepted_at=None, canceled_at=None
    )
    if not unused.update(accepted_at=clock.now()):
        raise InvitationGone()
    with refusing("igny8_users_email_unique", IsCustomer()):
        operator.save()
    if invitation.group:
        operator.groups.add(invitation.group)
    role = invitation.group.name if invitation.group else ""
    events.record(_event("operator_invitation.accepted", invitation, operator, role=role))
    return operator


def _require_within_powers(group: Group, inviter: User) -> None:
    if not may_invite_as(group, inviter):
        raise RoleAboveOwnPowers()


def _require_free(email: str) -> None:
    known = user_by_email(email)
    if known is not None:
        raise IsOperatorAlready() if known.is_staff and known.account_id is None else IsCustomer()


def _unanswered(invitation_id: int) -> OperatorInvitation:
    invitation = OperatorInvitation.objects.select_related("group").filter(pk=invitation_id).first()
    if invitation is None:
        raise NotFound()
    if invitation.accepted_at or invitation.canceled_at:
        raise InvitationNotOpen()
    return invitation


def _cancel(invitation: OperatorInvitation, canceled_by: User) -> None:
    unanswered = OperatorInvitation.objects.filter(pk=invitation.pk, accepted_at=None, canceled_at=None)
    if not unanswered.update(canceled_at=clock.now()):
        raise InvitationNotOpen()
    events.record(_event("operator_invitation.canceled", invitation, canceled_by))


def _state(invitation: OperatorInvitation, key: str) -> str:
    """A hash of what a new mail changes: with it the link of the mail before is used up."""
    text = f"{invitation.pk}|{invitation.email}|{invitation.sent_at.timestamp()}"
    return salted_hmac(SALT, text, secret=key, algorithm="sha256").hexdigest()


def _event(kind: str, invitation: OperatorInvitation, actor: User, **facts: object) -> events.NewEvent:
    return events.about(kind, invitation, actor, facts)
