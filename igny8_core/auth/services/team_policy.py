"""Rules about who may do what to whom in a team. Call them under the account's lock, so that roles are current."""

from collections.abc import Iterable

from igny8_core.auth.errors import OwnerProtected, OwnersOnly, RoleAboveOwn, TeamNotManaged
from igny8_core.auth.models import MANAGER_ROLES, Account, Role, Site, SiteUserAccess, User
from igny8_core.auth.selectors import active_owners_of, members_of
from igny8_core.common.errors import NotFound
from igny8_core.common.security_log import security_event

RANKS: dict[str, int] = {Role.OWNER: 4, Role.ADMIN: 3, Role.EDITOR: 2, Role.VIEWER: 1, "": 0}


def acting_member(account: Account, user: User) -> User:
    """The acting member as stored now, so that a removal or a new role applies at once. Raises TeamNotManaged."""
    actor = members_of(account).filter(pk=user.pk, is_active=True).first()
    if actor is None:
        raise TeamNotManaged()
    return actor


def member_with_id(account: Account, user_id: int) -> User:
    """The account's member with this id. Raises NotFound, also for a member of another account."""
    member = members_of(account).filter(pk=user_id).first()
    if member is None:
        raise NotFound()
    return member


def may_give(giver: User, role: str) -> bool:
    """Whether `giver` may give this role: owners and admins may, up to their own role."""
    return giver.role in MANAGER_ROLES and RANKS[role] <= RANKS[giver.role]


def require_may_give(actor: User, role: str, receiver: User | None = None) -> None:
    """Refuse a role that the actor may not give, and log an attempt to give one above their own (ROL-01, ROL-09).

    Raises RoleAboveOwn, TeamNotManaged.
    """
    if RANKS[role] > RANKS[actor.role]:
        attempt = {"user": actor.pk, "account": actor.account_id, "role": role}
        for_user = receiver.pk if receiver else None
        security_event("privilege_permissions_changed", "denied", for_user=for_user, **attempt)
    if actor.role not in MANAGER_ROLES:
        raise TeamNotManaged()
    if not may_give(actor, role):
        raise RoleAboveOwn()


def require_manages(actor: User, role: str) -> None:
    """Owners manage everybody; admins manage everybody but owners. Raises TeamNotManaged, OwnerProtected."""
    if actor.role not in MANAGER_ROLES:
        raise TeamNotManaged()
    if role == Role.OWNER and actor.role != Role.OWNER:
        raise OwnerProtected()


def require_owner(actor: User) -> None:
    """Raise OwnersOnly unless the actor is an owner."""
    if actor.role != Role.OWNER:
        raise OwnersOnly()


def other_owner(account: Account, leaving: User, preferred: User | None = None) -> User | None:
    """Another active owner than `leaving`: `preferred` if they are one, else the longest-standing; None if none."""
    owners = [owner for owner in active_owners_of(account) if owner.pk != leaving.pk]
    chosen = [owner for owner in owners if preferred and owner.pk == preferred.pk]
    return next(iter(chosen + owners), None)


def open_sites(member: User, sites: Iterable[Site], granted_by: User | None) -> None:
    """Give a member access to sites of their account. Existing access is unchanged."""
    access = [SiteUserAccess(user=member, site=site, granted_by=granted_by) for site in sites]
    SiteUserAccess.objects.bulk_create(access, ignore_conflicts=True)


def open_all_sites(account: Account, member: User, granted_by: User | None) -> None:
    """Give an owner or admin access to every site of the account."""
    open_sites(member, Site.objects.filter(account=account), granted_by)
