"""Sites of an account, and members' access to them."""

import secrets
from typing import Any

from django.utils.text import slugify
from django.utils.translation import gettext, ngettext

from igny8_core.auth.errors import AccessByRole, LimitReached
from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import MANAGER_ROLES, Account, Industry, Site, SiteUserAccess, User
from igny8_core.auth.permissions import require_usable
from igny8_core.auth.selectors import members_of, sites_of, terms_of
from igny8_core.auth.services import team_policy
from igny8_core.common.db import service_transaction, set_changed
from igny8_core.common.errors import InvalidInput, NotFound
from igny8_core.events import services as events


@service_transaction
def create_site(account: Account, created_by: User, *, name: str, industry: Industry, domain: str = "") -> Site:
    """Add a site. The account's owners and admins get access to it.

    Raises PaymentRequired, AccountSuspended or AccountCanceled for an account that may not use the product,
    LimitReached if the account has `max_sites` of its terms already.
    """
    account = lock_account(account.pk, "plan")
    require_usable(account)
    existing, allowed = Site.objects.filter(account=account).count(), terms_of(account).max_sites
    if existing >= allowed:
        raise LimitReached(
            ngettext(
                "Your plan %(plan)s allows %(allowed)s site, and you have %(existing)s. Delete one, "
                "or change to a larger plan.",
                "Your plan %(plan)s allows %(allowed)s sites, and you have %(existing)s. Delete one, "
                "or change to a larger plan.",
                allowed,
            )
            % {"plan": account.plan.name, "allowed": allowed, "existing": existing}
        )
    site = Site.objects.create(account=account, name=name, slug=_slug(name), domain=domain, industry=industry)
    managers = members_of(account).filter(role__in=MANAGER_ROLES, is_active=True)
    SiteUserAccess.objects.bulk_create(
        SiteUserAccess(user=manager, site=site, granted_by=created_by) for manager in managers
    )
    events.record(events.about("site.created", site, created_by, {"name": name}))
    return site


@service_transaction
def update_site(site: Site, changed_by: User, **changes: Any) -> Site:
    """Change name, domain, industry or status.

    Raises PaymentRequired, AccountSuspended, AccountCanceled, NotFound (also if `changed_by` has lost access).
    """
    account = lock_account(site.account_id)
    require_usable(account)
    site = _still_there(account, site, changed_by)
    names = set_changed(site, changes)
    if not names:
        return site
    site.save(update_fields=names)
    changed = {field: str(changes[field]) for field in names}
    events.record(events.about("site.updated", site, changed_by, changed))
    return site


@service_transaction
def delete_site(site: Site, deleted_by: User) -> None:
    """Delete a site and all access to it. The usage log keeps what was spent on it. Raises NotFound."""
    account = lock_account(site.account_id)
    site = _still_there(account, site, deleted_by)
    events.record(events.about("site.deleted", site, deleted_by, {"name": site.name}))
    site.delete()


@service_transaction
def grant_site_access(site: Site, member_id: int, granted_by: User) -> User:
    """Give a member access to the site, unless they have it. Returns the member.

    Raises InvalidInput for an unknown member, TeamNotManaged, NotFound.
    """
    account = lock_account(site.account_id)
    actor = team_policy.acting_member(account, granted_by)
    team_policy.require_manages(actor, "")
    site = _still_there(account, site, actor)
    member = members_of(account).filter(pk=member_id).first()
    if member is None:
        raise InvalidInput(errors={"user": [gettext("No such member. GET /api/v1/account/team/ lists them.")]})
    if not SiteUserAccess.objects.filter(user=member, site=site).exists():
        team_policy.open_sites(member, [site], actor)
        facts = {"user": member.pk}
        events.record(events.about("site.access_granted", site, actor, facts))
    return member


@service_transaction
def revoke_site_access(site: Site, member_id: int, revoked_by: User) -> None:
    """End a member's access to the site.

    Raises TeamNotManaged, NotFound if they have none, AccessByRole for owners and admins, who always have access.
    """
    account = lock_account(site.account_id)
    actor = team_policy.acting_member(account, revoked_by)
    team_policy.require_manages(actor, "")
    site = _still_there(account, site, actor)
    member = team_policy.member_with_id(account, member_id)
    if member.role in MANAGER_ROLES:
        raise AccessByRole()
    revoked, _ = SiteUserAccess.objects.filter(user=member, site=site).delete()
    if not revoked:
        raise NotFound()
    facts = {"user": member.pk}
    events.record(events.about("site.access_revoked", site, actor, facts))


def _still_there(account: Account, site: Site, user: User) -> Site:
    current = sites_of(account, user).filter(pk=site.pk).first()
    if current is None:
        raise NotFound()
    return current


def _slug(name: str) -> str:
    return f"{slugify(name)[:60] or 'site'}-{secrets.token_hex(3)}"
