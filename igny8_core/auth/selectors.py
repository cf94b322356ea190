"""Reads of who exists; what belongs to an account is looked up from the account."""

import uuid

from django.db.models import QuerySet

from igny8_core.auth.models import Account, Industry, LoginSession, Plan, Role, Site, User


def public_plans() -> QuerySet[Plan]:
    """Plans that anybody may order, in display order."""
    return Plan.objects.filter(is_active=True, is_public=True)


def active_industries() -> QuerySet[Industry]:
    """Industries that a site can be in, by name."""
    return Industry.objects.filter(is_active=True)


def sites_of(account: Account, user: User) -> QuerySet[Site]:
    """The account's sites that `user` may see: all for owner and admin, those with access for the others."""
    sites = Site.objects.filter(account=account).select_related("industry")
    if user.role in (Role.OWNER, Role.ADMIN):
        return sites
    return sites.filter(access__user=user)


def live_session(session_id: object) -> LoginSession | None:
    """The login session that has not ended, with its user, account and plan, in one query; None for no session's id."""
    try:
        key = uuid.UUID(str(session_id))
    except ValueError:
        return None
    return (
        LoginSession.objects.select_related("user__account__plan")
        .filter(pk=key, ended_at__isnull=True, user__is_active=True)
        .first()
    )


def user_by_email(email: str) -> User | None:
    """The user with this address, without regard to case, with account and plan."""
    return User.objects.select_related("account__plan").filter(email=email).first()
