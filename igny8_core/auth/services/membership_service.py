"""Changes to the members of an account that somebody else makes."""

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import Role, User
from igny8_core.common.errors import MoveNotAllowed


class MembershipService:
    """The rules that every path to a member's role or activity goes through (threats.md ROL-11, ROL-12)."""

    @staticmethod
    def require_owner_stays(member: User, *, role: str, is_active: bool) -> None:
        """Make sure that the account of `member`, as saved, keeps an active owner when role and activity become these.

        Called in the transaction that saves the change: the account stays locked until it ends, so that two owners
        cannot step down at once. Raises MoveNotAllowed.
        """
        if member.account_id is None or (role == Role.OWNER and is_active):
            return
        account = lock_account(member.account_id)
        owners = User.objects.filter(account=account, role=Role.OWNER, is_active=True)
        if set(owners.values_list("pk", flat=True)) == {member.pk}:
            raise MoveNotAllowed(f"{member} is the last active owner of {account}. Make another member an owner first.")
