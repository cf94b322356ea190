"""The members of an account: their roles, their going, and who owns it."""

from igny8_core.auth.errors import LastOwner, OwnRole
from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import MANAGER_ROLES, Account, Role, SiteUserAccess, User
from igny8_core.auth.selectors import active_owners_of, members_of
from igny8_core.auth.services import team_policy
from igny8_core.auth.services.sessions import end_sessions
from igny8_core.auth.services.users import check_own_password
from igny8_core.common.db import service_transaction
from igny8_core.common.errors import InvalidInput, TransitionNotAllowed
from igny8_core.events import services as events

NO_SUCH_MEMBER = "No such active member. GET /api/v1/account/team/ lists them."


@service_transaction
def change_role(account: Account, member_id: int, role: str, changed_by: User) -> User:
    """Give a member another role; a new owner or admin gets access to all sites, a former one keeps theirs.

    Raises NotFound, OwnRole, TeamNotManaged, RoleAboveOwn, OwnerProtected, LastOwner.
    """
    account = lock_account(account.pk)
    actor = team_policy.acting_member(account, changed_by)
    member = team_policy.member_with_id(account, member_id)
    team_policy.require_may_give(actor, role, member)
    if member.pk == actor.pk:
        raise OwnRole()
    team_policy.require_manages(actor, member.role)
    if role != member.role:
        _give_role(account, member, role, actor)
    return member


@service_transaction
def remove_member(account: Account, member_id: int, removed_by: User) -> None:
    """End a person's membership, sessions and access to sites; with one's own id: leave.

    What they did keeps their name, and they can be invited again.
    Raises NotFound, TeamNotManaged, OwnerProtected, LastOwner.
    """
    account = lock_account(account.pk)
    actor = team_policy.acting_member(account, removed_by)
    member = team_policy.member_with_id(account, member_id)
    if member.pk != actor.pk:
        team_policy.require_manages(actor, member.role)
    _let_another_own(account, member, actor)
    SiteUserAccess.objects.filter(user=member, site__account=account).delete()
    facts = {"role": member.role, "left": member.pk == actor.pk}
    _save_membership(account, member, stays=False, role="")
    end_sessions(member, "membership_ended")
    events.record(events.NewEvent("member.removed", member, account.pk, actor.pk, facts))


def transfer_ownership(account: Account, owner: User, member_id: int, password: str) -> User:
    """Make another active member the account's owner; who hands it over stays as an admin. Returns the new owner.

    Raises InvalidInput for a wrong password or a member that is none, OwnersOnly.
    """
    check_own_password(password, owner)
    return _transfer_ownership(account, owner, member_id)


def require_owner_stays(member: User, *, role: str, is_active: bool) -> None:
    """Make sure that the account of `member`, as saved, keeps an active owner when role and activity become these.

    Called in the transaction that saves the change: the account stays locked until it ends, so that two owners
    cannot step down at once. Raises LastOwner.
    """
    if member.account_id is None or (role == Role.OWNER and is_active):
        return
    account = lock_account(member.account_id)
    if active_owners_of(account).exists() and team_policy.other_owner(account, member) is None:
        raise LastOwner(f"{member} is the last active owner of {account}. Make another member an owner first.")


@service_transaction
def follow_edit(member: User, edited_by: User) -> None:
    """Bring in line what hangs on a membership that an operator has just saved: the account's owner, the sites."""
    if member.account_id is None:
        return
    account = lock_account(member.account_id)
    owners = active_owners_of(account)
    successor = owners.first()
    if successor and not owners.filter(owned_accounts=account).exists():
        _set_owner(account, successor, edited_by)
    if member.role in MANAGER_ROLES:
        team_policy.open_all_sites(account, member, edited_by)


@service_transaction
def _transfer_ownership(account: Account, owner: User, member_id: int) -> User:
    account = lock_account(account.pk)
    actor = team_policy.acting_member(account, owner)
    team_policy.require_owner(actor)
    heir = members_of(account).filter(pk=member_id, is_active=True).exclude(pk=actor.pk).first()
    if heir is None:
        raise InvalidInput(errors={"user": [NO_SUCH_MEMBER]})
    if heir.role != Role.OWNER:
        _give_role(account, heir, Role.OWNER, actor)
    _set_owner(account, heir, actor)
    _give_role(account, actor, Role.ADMIN, actor)
    facts = {"from": actor.pk, "to": heir.pk}
    events.record(events.NewEvent("account.ownership_transferred", account, account.pk, actor.pk, facts))
    return heir


def _give_role(account: Account, member: User, role: str, actor: User) -> None:
    if role != Role.OWNER:
        _let_another_own(account, member, actor)
    facts = {"from": member.role, "to": role}
    _save_membership(account, member, stays=True, role=role)
    if role in MANAGER_ROLES:
        team_policy.open_all_sites(account, member, actor)
    events.record(events.NewEvent("member.role_changed", member, account.pk, actor.pk, facts))


def _let_another_own(account: Account, member: User, actor: User) -> None:
    """Before `member` is no owner any more: make sure that the account has another one, who is named as its owner."""
    if member.role != Role.OWNER:
        return
    successor = team_policy.other_owner(account, member, preferred=actor)
    if successor is None:
        raise LastOwner()
    if account.owner_id == member.pk:
        _set_owner(account, successor, actor)


def _set_owner(account: Account, owner: User, actor: User) -> None:
    if account.owner_id == owner.pk:
        return
    facts = {"from": account.owner_id, "to": owner.pk}
    account.owner = owner
    account.save(update_fields=["owner"])
    events.record(events.about("account.owner_changed", account, actor, facts))


def _save_membership(account: Account, member: User, *, stays: bool, role: str) -> None:
    # Asks for what was read, so that even a caller who forgot the lock does not decide on an old role.
    unchanged = User.objects.filter(pk=member.pk, account=account, role=member.role)
    if not unchanged.update(account=account if stays else None, role=role):
        raise TransitionNotAllowed("This member was changed by somebody else just now. Look at the team again.")
    member.account, member.role = account if stays else None, role
