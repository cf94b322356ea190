"""Reads of accounts, people, plans and sites. Lookups of an account's rows start from the account."""

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import Permission
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Concat

from igny8_core.auth.callers import Caller
from igny8_core.auth.models import (
    LIVE_STATUSES,
    MANAGER_ROLES,
    SETTINGS,
    TERMS_COLUMNS,
    Account,
    Industry,
    InvitationState,
    LoginSession,
    Plan,
    Role,
    Site,
    SiteUserAccess,
    Subscription,
    TeamInvitation,
    Terms,
    User,
)
from igny8_core.auth.operator_roles import OWNER
from igny8_core.common import clock
from igny8_core.common.db import among
from igny8_core.events.models import Event


def public_plans() -> QuerySet[Plan]:
    """Plans that anybody can order, in display order."""
    return Plan.objects.filter(is_active=True, is_public=True)


def active_industries() -> QuerySet[Industry]:
    """Industries that can be chosen for a site, by name."""
    return Industry.objects.filter(is_active=True)


def sites_of(account: Account, user: User | Caller) -> QuerySet[Site]:
    """The account's sites that `user` may see: all of them for owners and admins, else those with access."""
    sites = Site.objects.filter(account=account).select_related("industry")
    if user.role in MANAGER_ROLES:
        return sites
    return sites.filter(access__user_id=user.pk)


def open_to(sites: QuerySet[Site], member_id: int) -> QuerySet[Site]:
    """Those of `sites` that a member of their account may see: by their role, or because somebody let them in."""
    manages = User.objects.filter(pk=member_id, account_id=OuterRef("account_id"), role__in=MANAGER_ROLES)
    access = SiteUserAccess.objects.filter(site=OuterRef("pk"), user_id=member_id)
    return sites.filter(Exists(manages) | Exists(access))


def live_session(session_id: object) -> LoginSession | None:
    """The session, with user, account and plan in one query, if it has not ended; else None, also for an invalid id."""
    try:
        key = uuid.UUID(str(session_id))
    except ValueError:
        return None
    return (
        LoginSession.objects.select_related("user__account__plan")
        .filter(pk=key, ended_at__isnull=True, user__is_active=True)
        .first()
    )


def sessions_of(user: User) -> QuerySet[LoginSession]:
    """Where somebody is logged in now: their sessions that have neither ended nor run out."""
    return LoginSession.objects.filter(user=user, ended_at=None, expires_at__gt=clock.now())


def user_by_email(email: str) -> User | None:
    """The user with this address (in any case), with account and plan; None if there is none."""
    return User.objects.select_related("account__plan").filter(email=email).first()


def user_with_id(user_id: int | str) -> User | None:
    """The active user with this id, with account and plan; None if there is none."""
    return User.objects.select_related("account__plan").filter(pk=user_id, is_active=True).first()


def user_id_by_email(email: str) -> int | None:
    """The id of the active user with this address, or None. The query takes the same time in both cases."""
    return User.objects.filter(email=email, is_active=True).values_list("pk", flat=True).first()


def people_to_ask() -> list[User]:
    """Whom an operator asks for a permission: who has the role Owner; where nobody has it, the superusers."""
    operators = User.objects.filter(is_staff=True, is_active=True).order_by("email")
    owners = list(operators.filter(groups__name=OWNER).distinct())
    return owners or list(operators.filter(is_superuser=True))


def names_of_permissions(codes: Sequence[str]) -> list[str]:
    """Permissions as people read them, such as Can view payment (billing.view_payment), in the order of `codes`."""
    named = Permission.objects.annotate(code=Concat("content_type__app_label", Value("."), "codename"))
    names = dict(named.filter(code__in=codes).values_list("code", "name"))
    return [f"{names.get(code, code)} ({code})" for code in codes]


def has_made_an_account(user: User) -> bool:
    """Whether this person has begun an account before, whoever owns it now."""
    return Event.objects.filter(actor=user, type="account.created").exists()


def settings_version(account: Account) -> str:
    """A mark of the account's settings as they are: another one as soon as one of them is changed."""
    values = [getattr(account, column) for column in SETTINGS]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:32]


def members_of(account: Account) -> QuerySet[User]:
    """The account's members."""
    return User.objects.filter(account=account)


def active_owners_of(account: Account) -> QuerySet[User]:
    """The account's owners who can log in, the longest-standing first."""
    return User.objects.filter(account=account, role=Role.OWNER, is_active=True).order_by("pk")


def members_with_access(site: Site) -> QuerySet[User]:
    """Members with access to a site, including owners and admins. `granted_at` is None if the role gives access."""
    access = SiteUserAccess.objects.filter(site=site, user=OuterRef("pk"))
    members = User.objects.filter(Q(role__in=MANAGER_ROLES) | Exists(access), account_id=site.account_id)
    return members.annotate(granted_at=Subquery(access.values("created_at")[:1]))


def invitations_of(account: Account) -> QuerySet[TeamInvitation]:
    """The account's invitations, open and past, with their senders and sites."""
    invitations = TeamInvitation.objects.filter(account=account).select_related("invited_by")
    return invitations.prefetch_related("sites")


def invitations_with_status(invitations: QuerySet[TeamInvitation], status: str) -> QuerySet[TeamInvitation]:
    """The invitations with this TeamInvitation.status."""
    unanswered = Q(accepted_at=None, canceled_at=None)
    conditions = {
        InvitationState.OPEN: unanswered & Q(expires_at__gt=clock.now()),
        InvitationState.EXPIRED: unanswered & Q(expires_at__lte=clock.now()),
        InvitationState.ACCEPTED: Q(accepted_at__isnull=False),
        InvitationState.CANCELED: Q(canceled_at__isnull=False),
    }
    return invitations.filter(conditions[InvitationState(status)])


def site_count(account: Account) -> int:
    """How many sites the account has."""
    return Site.objects.filter(account=account).count()


def seats_taken(account: Account) -> int:
    """How much of `max_users` is used: active members and open invitations."""
    open_ones = invitations_with_status(TeamInvitation.objects.filter(account=account), InvitationState.OPEN)
    return members_of(account).filter(is_active=True).count() + open_ones.count()


def events_of(account: Account) -> QuerySet[Event]:
    """The account's events, with their actors."""
    return Event.objects.filter(account=account).select_related("actor")


# What a plan limits.
PLAN_LIMITS = ("sites", "users")


@dataclass(frozen=True)
class OverLimit:
    """A limit of a plan that an account exceeds: `limit` is "sites" or "users"."""

    limit: str
    used: int
    allowed: int


def over_limits(account: Account, plan: Plan) -> list[OverLimit]:
    """The limits of the plan that the account exceeds now."""
    sites = Site.objects.filter(account=account).count()
    members = User.objects.filter(account=account, is_active=True).count()
    limits = [OverLimit("sites", sites, plan.max_sites), OverLimit("users", members, plan.max_users)]
    return [limit for limit in limits if limit.used > limit.allowed]


def terms_of(account: Account) -> Terms:
    """The terms that limit the account: those of its live subscription, else those of its plan."""
    live = Subscription.objects.filter(account=account, status__in=LIVE_STATUSES).only(*TERMS_COLUMNS).first()
    return (live and live.terms) or account.plan.terms


def all_accounts() -> QuerySet[Account]:
    """Every account, for operators, with plan, owner and the number of active `members`."""
    members = User.objects.filter(account=OuterRef("pk"), is_active=True).order_by().values("account")
    counted = Subquery(members.annotate(number=Count("pk")).values("number"))
    return Account.objects.select_related("plan", "owner").annotate(members=Coalesce(counted, 0))


def accounts_matching(accounts: QuerySet[Account], text: str) -> QuerySet[Account]:
    """The accounts whose name, slug, billing or owner's e-mail address begins with `text`, in any case."""
    owners = User.objects.filter(email__startswith=text.lower())
    in_account = Q(name__istartswith=text) | Q(slug__startswith=text.lower()) | Q(billing_email__istartswith=text)
    return accounts.filter(in_account | among("owner_id", owners))


def account_with_id(account_id: int) -> Account | None:
    """The account with this id, for operators, with plan, owner and number of members; None if there is none."""
    return all_accounts().filter(pk=account_id).first()
