"""The members of an account: changing roles, removing members, transferring ownership."""

from django.utils.translation import gettext as _

from igny8_core.auth.errors import LastOwner, OwnRole, RoleChanged
from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import MANAGER_ROLES, Account, Role, SiteUserAccess, User
from igny8_core.auth.selectors import active_owners_of, members_of
from igny8_core.auth.services import team_policy
from igny8_core.auth.services.sessions import end_sessions
from igny8_core.auth.services.users import check_own_password
from igny8_core.common.db import service_transaction
from igny8_core.common.errors import InvalidInput, TransitionNotAllowed
from igny8_core.common.marks import gettext_noop
from igny8_core.events import services as events

NO_SUCH_MEMBER = gettext_noop("No such active member. GET /api/v1/account/team/ lists them.")


@service_transaction
def change_role(account: Account, member_id: int, role: str, changed_by: User, present_role: str = "") -> User:
    """Give a member another role. A new owner or admin gets access to all sites; a former one keeps it.

    `present_role`: the role that the member is believed to have; empty: whatever it is.
    Raises NotFound, OwnRole, TeamNotManaged, RoleAboveOwn, OwnerProtected, LastOwner, RoleChanged.
    """
    account = lock_account(account.pk)
    actor = team_policy.acting_member(account, changed_by)
    member = team_policy.member_with_id(account, member_id)
    team_policy.require_may_give(actor, role, member)
    if member.pk == actor.pk:
        raise OwnRole()
    team_policy.require_manages(actor, member.role)
    if present_role and present_role != member.role:
        raise RoleChanged()
    if role != member.role:
        _give_role(account, member, role, actor)
    return member


@service_transaction
def remove_member(account: Account, member_id: int, removed_by: User) -> None:
    """End a person's membership, sessions and access to sites. With the actor's own id, they leave the account.

    The log keeps their name, and they can be invited again.
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


def transfer_ownership(account: Account, owner: User, member_id: int, password: str | None) -> User:
    """Make another active member the account's owner. The former owner becomes an admin. Returns the new owner.

    Raises InvalidInput for a wrong password or an unknown member, OwnersOnly.
    """
    check_own_password(password, owner)
    return _transfer_ownership(account, owner, member_id)


def require_owner_stays(member: User, *, role: str, is_active: bool) -> None:
    """Check that the account keeps an active owner if `member` gets this role and activity. Raises LastOwner.

    Call it in the transaction that saves the change. The account stays locked until that ends, so that two owners
    cannot step down at once.
    """
    if member.account_id is None or (role == Role.OWNER and is_active):
        return
    account = lock_account(member.account_id)
    if active_owners_of(account).exists() and team_policy.other_owner(account, member) is None:
        raise LastOwner(
            _("%(member)s is the last active owner of %(account)s. Make another member an owner first.")
            % {"member": member, "account": account}
        )


@service_transaction
def follow_edit(member: User, edited_by: User) -> None:
    """Update what depends on a membership that an operator has just saved: the account's owner, and site access."""
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
    """Before `member` stops being an owner, make another owner the account's owner. Raises LastOwner."""
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
    # The UPDATE requires the role that was read, so that even a caller who forgot the lock does not use an old one.
    unchanged = User.objects.filter(pk=member.pk, account=account, role=member.role)
    if not unchanged.update(account=account if stays else None, role=role):
        raise TransitionNotAllowed(_("Somebody else changed this member just now. Load the team again, then decide."))
    member.account, member.role = account if stays else None, role
