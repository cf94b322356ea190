"""Reads of who exists; what belongs to an account is looked up from the account."""

import uuid
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from igny8_core.auth.callers import Caller
from igny8_core.auth.models import (
    LIVE_STATUSES,
    MANAGER_ROLES,
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
from igny8_core.common import clock
from igny8_core.common.db import among
from igny8_core.events.models import Event


def public_plans() -> QuerySet[Plan]:
    """Plans that anybody may order, in display order."""
    return Plan.objects.filter(is_active=True, is_public=True)


def active_industries() -> QuerySet[Industry]:
    """Industries that a site can be in, by name."""
    return Industry.objects.filter(is_active=True)


def sites_of(account: Account, user: User | Caller) -> QuerySet[Site]:
    """The account's sites that `user` may see: all for owner and admin, those with access for the others."""
    sites = Site.objects.filter(account=account).select_related("industry")
    if user.role in MANAGER_ROLES:
        return sites
    return sites.filter(access__user_id=user.pk)


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


def user_id_by_email(email: str) -> int | None:
    """The id of the active user with this address: one query of the same cost whether there is one or not."""
    return User.objects.filter(email=email, is_active=True).values_list("pk", flat=True).first()


def has_made_an_account(user: User) -> bool:
    """Whether this person has begun an account before, whoever owns it now."""
    return Event.objects.filter(actor=user, type="account.created").exists()


def members_of(account: Account) -> QuerySet[User]:
    """The account's people."""
    return User.objects.filter(account=account)


def active_owners_of(account: Account) -> QuerySet[User]:
    """The account's owners who can log in, longest first."""
    return User.objects.filter(account=account, role=Role.OWNER, is_active=True).order_by("pk")


def members_with_access(site: Site) -> QuerySet[User]:
    """Who may work on a site, owners and admins included; `granted_at` is empty where the role alone opens it."""
    access = SiteUserAccess.objects.filter(site=site, user=OuterRef("pk"))
    members = User.objects.filter(Q(role__in=MANAGER_ROLES) | Exists(access), account_id=site.account_id)
    return members.annotate(granted_at=Subquery(access.values("created_at")[:1]))


def invitations_of(account: Account) -> QuerySet[TeamInvitation]:
    """The account's invitations, open and past, with who sent them and their sites."""
    invitations = TeamInvitation.objects.filter(account=account).select_related("invited_by")
    return invitations.prefetch_related("sites")


def invitations_with_status(invitations: QuerySet[TeamInvitation], status: str) -> QuerySet[TeamInvitation]:
    """Those of which TeamInvitation.status says this."""
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
    """How much of `max_users` is used: active members, and invitations that can still be accepted."""
    open_ones = invitations_with_status(TeamInvitation.objects.filter(account=account), InvitationState.OPEN)
    return members_of(account).filter(is_active=True).count() + open_ones.count()


def events_of(account: Account) -> QuerySet[Event]:
    """What happened in the account, with who did it."""
    return Event.objects.filter(account=account).select_related("actor")


# What a plan limits and an account can have too much of.
PLAN_LIMITS = ("sites", "users")


@dataclass(frozen=True)
class OverLimit:
    """What an account uses more of than a plan allows: `limit` is "sites" or "users"."""

    limit: str
    used: int
    allowed: int


def over_limits(account: Account, plan: Plan) -> list[OverLimit]:
    """The plan's limits that the account would be over, as it is now."""
    sites = Site.objects.filter(account=account).count()
    members = User.objects.filter(account=account, is_active=True).count()
    limits = [OverLimit("sites", sites, plan.max_sites), OverLimit("users", members, plan.max_users)]
    return [limit for limit in limits if limit.used > limit.allowed]


def terms_of(account: Account) -> Terms:
    """What limits the account: the terms of its live subscription, else its plan."""
    live = Subscription.objects.filter(account=account, status__in=LIVE_STATUSES).only(*TERMS_COLUMNS).first()
    return (live and live.terms) or account.plan.terms


def all_accounts() -> QuerySet[Account]:
    """Every account with its plan, its owner and the number of its active `members`, for platform operators."""
    members = User.objects.filter(account=OuterRef("pk"), is_active=True).order_by().values("account")
    counted = Subquery(members.annotate(number=Count("pk")).values("number"))
    return Account.objects.select_related("plan", "owner").annotate(members=Coalesce(counted, 0))


def accounts_matching(accounts: QuerySet[Account], text: str) -> QuerySet[Account]:
    """Those whose name, slug, billing or owner's e-mail address begins with `text`, without regard to case."""
    owners = User.objects.filter(email__startswith=text.lower()).order_by().values("pk")
    in_account = Q(name__istartswith=text) | Q(slug__startswith=text.lower()) | Q(billing_email__istartswith=text)
    return accounts.filter(in_account | among("owner_id", owners))


def account_with_id(account_id: int) -> Account | None:
    """Any account with plan, owner and number of members, for a platform operator."""
    return all_accounts().filter(pk=account_id).first()
