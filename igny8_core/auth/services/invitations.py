"""Inviting people to an account's team, and accepting invitations."""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta

from django.contrib.auth.hashers import make_password
from django.db.models import Q
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from igny8_core.auth.errors import (
    AlreadyMember,
    InvitationForAnother,
    InvitationGone,
    InvitationNotOpen,
    InvitationOpen,
    LimitReached,
    LoginExists,
    MemberElsewhere,
)
from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import (
    MANAGER_ROLES,
    Account,
    InvitationState,
    OperatorInvitation,
    Role,
    Site,
    TeamInvitation,
    User,
)
from igny8_core.auth.permissions import require_usable
from igny8_core.auth.selectors import members_of, seats_taken, terms_of, user_by_email
from igny8_core.auth.services import team_policy
from igny8_core.auth.services.login_guard import forget_places
from igny8_core.auth.services.sessions import end_sessions
from igny8_core.auth.services.users import hashed
from igny8_core.common import clock
from igny8_core.common.db import refusing, service_transaction
from igny8_core.common.errors import InvalidInput, NotFound
from igny8_core.common.languages import current_language
from igny8_core.common.mail import erased_address
from igny8_core.common.marks import gettext_noop
from igny8_core.common.signed_texts import BadSignature, keys, opened, signed
from igny8_core.events import services as events

LIFETIME = timedelta(days=7)
# How long one that nobody answered can be seen and sent again after it expired.
KEPT_UNANSWERED = timedelta(days=90)
NO_SUCH_SITE = gettext_noop("No such site. GET /api/v1/sites/ lists them.")
SALT = "igny8_core.auth.invitation"


@dataclass(frozen=True)
class NewPerson:
    """What a person without a login sends to join a team."""

    password: str
    first_name: str
    last_name: str


@service_transaction
def invite(account: Account, invited_by: User, *, email: str, role: str, site_ids: Sequence[int]) -> TeamInvitation:
    """Invite an e-mail address with a role. `site_ids` are the sites that an editor or viewer gets access to.

    An address that belongs to another account is invited too, because the answer must not reveal that (AUT-11). Raises
    TeamNotManaged, RoleAboveOwn, PaymentRequired, AccountSuspended, AccountCanceled, InvalidInput for an unknown site,
    AlreadyMember, InvitationOpen, LimitReached.
    """
    account = lock_account(account.pk, "plan")
    actor = team_policy.acting_member(account, invited_by)
    team_policy.require_may_give(actor, role)
    require_usable(account)
    sites = _sites(account, site_ids)
    if members_of(account).filter(email=email).exists():
        raise AlreadyMember()
    _clear_the_way(account, email, actor)
    _require_seat(account)
    invitation = TeamInvitation(account=account, email=email, role=role, invited_by=actor)
    invitation.expires_at = clock.now() + LIFETIME
    # The token is made from the row's id. Until the row has one, the hash is of a random text.
    invitation.token_hash = secrets.token_hex(32)
    with refusing("igny8_team_invitations_one_open", InvitationOpen()):
        invitation.save()
    _seal(invitation)
    invitation.sites.set(sites)
    _record("invitation.created", invitation, actor, role=role)
    return invitation


@service_transaction
def resend_invitation(account: Account, invitation_id: int, resent_by: User) -> TeamInvitation:
    """Send an open invitation again, with a new token that is valid for a week. The old link stops working.

    `resent_by` becomes the sender.
    Raises NotFound, TeamNotManaged, RoleAboveOwn, PaymentRequired, AccountSuspended, AccountCanceled,
    InvitationNotOpen, LimitReached.
    """
    account = lock_account(account.pk, "plan")
    actor = team_policy.acting_member(account, resent_by)
    invitation = _unanswered(account, invitation_id)
    team_policy.require_may_give(actor, invitation.role)
    require_usable(account)
    if invitation.status == InvitationState.EXPIRED:
        _require_seat(account)
    invitation.expires_at, invitation.invited_by = clock.now() + LIFETIME, actor
    invitation.save(update_fields=["expires_at", "invited_by"])
    _seal(invitation)
    _record("invitation.resent", invitation, actor)
    return invitation


@service_transaction
def cancel_invitation(account: Account, invitation_id: int, canceled_by: User) -> None:
    """Cancel an open invitation. Raises NotFound, TeamNotManaged, InvitationNotOpen."""
    account = lock_account(account.pk)
    actor = team_policy.acting_member(account, canceled_by)
    invitation = _unanswered(account, invitation_id)
    team_policy.require_manages(actor, invitation.role)
    _cancel(invitation, actor)


@service_transaction
def withdraw_invitations(account: Account) -> None:
    """Cancel open invitations and erase every invited address. For deleting an account; the caller holds its lock."""
    invitations = TeamInvitation.objects.filter(account=account)
    invitations.filter(accepted_at=None, canceled_at=None).update(canceled_at=clock.now())
    # One at a time, because each gets an address of its own.
    for invitation in invitations:
        invitation.email = erased_address(invitation.pk)
        invitation.save(update_fields=["email"])


@service_transaction
def forget_expired_invitations() -> int:
    """Delete invitations, also of operators, that nobody answered within KEPT_UNANSWERED after their end; how many.

    They hold the address of somebody who may never have heard of us. The log keeps that they were sent, without it.
    """
    old = Q(accepted_at=None, canceled_at=None, expires_at__lte=clock.now() - KEPT_UNANSWERED)
    kinds = (TeamInvitation, OperatorInvitation)
    return sum(kind.objects.filter(old).delete()[1].get(kind._meta.label, 0) for kind in kinds)


def accept_invitation(token: str, caller: User | None, person: NewPerson | None) -> User:
    """Join the account that the e-mailed token invites to: as the logged-in `caller`, else as a new `person`.

    The address counts as verified, because the token came by e-mail. The sender must still be allowed to give the role
    (ROL-02), and the account must be usable and have a seat left.
    Raises NotFound, InvitationGone, PaymentRequired, AccountSuspended, AccountCanceled, InvitationForAnother,
    AlreadyMember, MemberElsewhere, LoginExists, InvalidInput, LimitReached.
    """
    # Before the transaction, because a password takes a tenth of a second to hash; it asks again what is read here.
    return _accept(token, _joining(invitation_of(token), caller, person))


def login_of(invitation: TeamInvitation) -> User | None:
    """The login that has the invited address; None if nobody has one that counts.

    Somebody may have signed up with an address that is not theirs. As long as they have neither confirmed it nor paid,
    the token that was mailed there proves more than their password does, and whoever accepts gets a login of their own.
    """
    known = user_by_email(invitation.email)
    return None if known and known.account_id != invitation.account_id and _proves_nothing(known) else known


def _proves_nothing(user: User) -> bool:
    is_customer = user.account is not None and not (user.role == Role.OWNER and user.account.has_never_paid)
    return user.email_verified_at is None and not (is_customer or user.is_staff or user.is_superuser)


def _free_address(email: str, invitation: TeamInvitation) -> None:
    """Take the address from a login that does not prove it. That login can do nothing any more; its account stays."""
    squatter = user_by_email(email)
    if squatter is None or not _proves_nothing(squatter) or squatter.account_id == invitation.account_id:
        return
    unproven = User.objects.filter(pk=squatter.pk, email=email, email_verified_at=None)
    if unproven.update(email=erased_address(squatter.pk), password=make_password(None)):
        end_sessions(squatter, "address_proven")
        forget_places(squatter)
        events.record(events.about("user.address_lost", squatter))


@service_transaction
def _accept(token: str, member: User) -> User:
    account = lock_account(invitation_of(token).account_id, "plan")
    invitation = invitation_of(token)
    require_usable(account)
    if member._state.adding:
        _free_address(member.email, invitation)
    allowed = terms_of(account).max_users
    if members_of(account).filter(is_active=True).count() >= allowed:
        raise LimitReached(_limit_text(account, allowed))
    _use_up(invitation)
    _join(account, member, invitation)
    _record("invitation.accepted", invitation, member, role=invitation.role)
    return member


def invitation_token(invitation: TeamInvitation) -> str:
    """The token of an invitation. It is derived from the server's key when a mail needs it, and not stored.

    Raises InvalidInput if the key was removed since the invitation was made.
    """
    for key in keys():
        for token in (_token(invitation, key), _token_of_old(invitation, key)):
            if constant_time_compare(_hash(token), invitation.token_hash):
                return token
    raise InvalidInput(_("The server's signing key has changed since this invitation was made. Send it again."))


def _token(invitation: TeamInvitation, key: str) -> str:
    # With microseconds, so that an invitation that is sent again in the same second has another token.
    text = f"{invitation.pk}.{invitation.expires_at.astimezone(UTC):%Y%m%d%H%M%S%f}"
    return signed(text, salt=SALT, moment=invitation.expires_at - LIFETIME, key=key)


def _token_of_old(invitation: TeamInvitation, key: str) -> str:
    """The token as the previous release made it. The last of those expires a week after the upgrade."""
    value = f"{invitation.pk}:{invitation.expires_at.astimezone(UTC).isoformat(timespec='microseconds')}"
    digest = salted_hmac(SALT, value, secret=key, algorithm="sha256").digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")


def _seal(invitation: TeamInvitation) -> None:
    invitation.token_hash = _hash(_token(invitation, keys()[0]))
    invitation.save(update_fields=["token_hash"])


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _is_signed(token: str) -> bool:
    """Whether we signed the token for an invitation. Tokens of the previous release have no signature, just a hash."""
    try:
        return ":" not in token or bool(opened(token, salt=SALT))
    except BadSignature:
        return False


def _sites(account: Account, site_ids: Sequence[int]) -> list[Site]:
    sites = list(Site.objects.filter(account=account, pk__in=site_ids))
    if len(sites) != len(set(site_ids)):
        raise InvalidInput(errors={"sites": [NO_SUCH_SITE]})
    return sites


def _clear_the_way(account: Account, email: str, actor: User) -> None:
    """Cancel expired invitations of the same address. Raises InvitationOpen if one is still open."""
    for earlier in TeamInvitation.objects.filter(account=account, email=email, accepted_at=None, canceled_at=None):
        if earlier.status == InvitationState.OPEN:
            raise InvitationOpen()
        _cancel(earlier, actor)


def _require_seat(account: Account) -> None:
    allowed = terms_of(account).max_users
    if seats_taken(account) >= allowed:
        raise LimitReached(_limit_text(account, allowed))


def _limit_text(account: Account, allowed: int) -> str:
    text = ngettext(
        "The plan %(plan)s allows %(allowed)s user, including open invitations, and all seats "
        "are taken. Remove a member, cancel an invitation, or change to a larger plan.",
        "The plan %(plan)s allows %(allowed)s users, including open invitations, and all seats "
        "are taken. Remove a member, cancel an invitation, or change to a larger plan.",
        allowed,
    )
    return text % {"plan": account.plan.name, "allowed": allowed}


def _unanswered(account: Account, invitation_id: int) -> TeamInvitation:
    invitation = TeamInvitation.objects.filter(account=account, pk=invitation_id).first()
    if invitation is None:
        raise NotFound()
    if invitation.accepted_at or invitation.canceled_at:
        raise InvitationNotOpen()
    return invitation


def _cancel(invitation: TeamInvitation, actor: User) -> None:
    invitation.canceled_at = clock.now()
    invitation.save(update_fields=["canceled_at"])
    _record("invitation.canceled", invitation, actor)


def invitation_of(token: str) -> TeamInvitation:
    """The open invitation of a token, from somebody who may still give its role. Raises NotFound, InvitationGone."""
    sealed = TeamInvitation.objects.filter(token_hash=_hash(token)).select_related("account", "invited_by")
    invitation = sealed.first() if _is_signed(token) else None
    if invitation is None:
        raise NotFound()
    sender = invitation.invited_by
    is_theirs = sender.account_id == invitation.account_id and sender.is_active
    is_open = invitation.status == InvitationState.OPEN
    if not (is_open and is_theirs and team_policy.may_give(sender, invitation.role)):
        raise InvitationGone()
    return invitation


def _joining(invitation: TeamInvitation, caller: User | None, person: NewPerson | None) -> User:
    """The user who joins: a saved one without an account, or a new one that is not saved yet."""
    known = user_by_email(invitation.email) if caller else login_of(invitation)
    if caller and caller.email != invitation.email:
        raise InvitationForAnother()
    if known and known.account_id == invitation.account_id:
        raise AlreadyMember()
    if known and known.account_id:
        raise MemberElsewhere()
    if known and caller is None:
        raise LoginExists()
    return known or _new_user(invitation.email, person)


def _new_user(email: str, person: NewPerson | None) -> User:
    if person is None:
        missing = ["password", "password_confirm", "first_name", "last_name"]
        raise InvalidInput(errors={name: [_("Required, because you have no login yet.")] for name in missing})
    names = {"first_name": person.first_name, "last_name": person.last_name}
    user = User(email=email, language=current_language(), **names)
    user.password = hashed(person.password, user, field="password")
    return user


def _use_up(invitation: TeamInvitation) -> None:
    """Mark the invitation as accepted, once. The row count decides, even if the caller forgot the lock."""
    now = clock.now()
    unused = TeamInvitation.objects.filter(
        pk=invitation.pk, token_hash=invitation.token_hash, accepted_at=None, canceled_at=None
    )
    if not unused.update(accepted_at=now):
        raise InvitationGone()
    invitation.accepted_at = now


def _join(account: Account, member: User, invitation: TeamInvitation) -> None:
    verified = member.email_verified_at or clock.now()
    if member._state.adding:
        member.account, member.role, member.email_verified_at = account, invitation.role, verified
        with refusing("igny8_users_email_unique", LoginExists()):
            member.save()
    else:
        # We hold this account's lock. Another account may be adding the same person right now.
        unbound = User.objects.filter(pk=member.pk, account=None, is_active=True)
        if not unbound.update(account=account, role=invitation.role, email_verified_at=verified):
            raise MemberElsewhere()
        member.account, member.role, member.email_verified_at = account, invitation.role, verified
    if member.role in MANAGER_ROLES:
        team_policy.open_all_sites(account, member, invitation.invited_by)
    else:
        team_policy.open_sites(member, invitation.sites.all(), invitation.invited_by)


def _record(event_type: str, invitation: TeamInvitation, actor: User, **data: str) -> None:
    # Without the address, because events are kept when a person is erased.
    events.record(events.about(event_type, invitation, actor, dict(data)))
