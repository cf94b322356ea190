"""Making accounts with their first owner."""

import secrets

from django.utils.text import slugify

from igny8_core.auth.errors import EmailTaken
from igny8_core.auth.models import Account, AccountStatus, Plan, Role, User
from igny8_core.auth.services.user_service import check_new_password
from igny8_core.common.db import refusing, service_transaction
from igny8_core.events import services as events


class AccountService:
    """Creates the tenant."""

    @staticmethod
    @service_transaction
    def create_account(
        *,
        email: str,
        password: str,
        first_name: str,
        last_name: str,
        account_name: str,
        plan: Plan,
        status: AccountStatus,
        billing: dict[str, str],
    ) -> Account:
        """Create an account and its owner; `billing` holds the account's billing_* and tax_id columns.

        Raises InvalidInput for a weak password and EmailTaken for an address that is in use.
        """
        owner = User(email=email, first_name=first_name, last_name=last_name, role=Role.OWNER)
        check_new_password(password, owner, field="password")
        owner.set_password(password)
        name = account_name or owner.full_name
        account = Account(name=name, slug=_slug(name), plan=plan, status=status, **billing)
        with refusing("igny8_users_email_unique", EmailTaken(errors={"email": [EmailTaken.text]})):
            account.save()
            owner.account = account
            owner.save()
        account.owner = owner
        account.save(update_fields=["owner"])
        events.record(
            events.NewEvent(
                "account.created", account, account.pk, owner.pk, {"plan": plan.slug, "status": status.value}
            )
        )
        return account


def _slug(name: str) -> str:
    return f"{slugify(name)[:60] or 'account'}-{secrets.token_hex(3)}"
