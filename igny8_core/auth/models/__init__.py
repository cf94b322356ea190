"""Who exists and what they may use."""

from igny8_core.auth.models.account import (
    ACCOUNT_TRANSITIONS,
    BILLING_DETAILS,
    SETTINGS,
    Account,
    AccountStatus,
    PaymentMethodType,
    SuspendedReason,
)
from igny8_core.auth.models.account_note import AccountNote
from igny8_core.auth.models.customer_login import CustomerLogin, CustomerLoginEnd
from igny8_core.auth.models.industry import Industry
from igny8_core.auth.models.login_guard import KnownPlace, LoginFailure, TrialTaken
from igny8_core.auth.models.login_session import LoginSession
from igny8_core.auth.models.operator_invitation import OperatorInvitation
from igny8_core.auth.models.plan import BillingCycle, Plan
from igny8_core.auth.models.second_factor import RecoveryCode, SecondFactor
from igny8_core.auth.models.site import Site, SiteStatus, SiteUserAccess
from igny8_core.auth.models.subscription import (
    LIVE_STATUSES,
    SUBSCRIPTION_TRANSITIONS,
    TERMS_COLUMNS,
    BillingDriver,
    Subscription,
    SubscriptionStatus,
    terms_columns,
)
from igny8_core.auth.models.team_invitation import InvitationState, TeamInvitation
from igny8_core.auth.models.terms import Terms
from igny8_core.auth.models.user import MANAGER_ROLES, Role, User

__all__ = [
    "ACCOUNT_TRANSITIONS",
    "BILLING_DETAILS",
    "LIVE_STATUSES",
    "MANAGER_ROLES",
    "SETTINGS",
    "SUBSCRIPTION_TRANSITIONS",
    "TERMS_COLUMNS",
    "Account",
    "AccountNote",
    "AccountStatus",
    "BillingCycle",
    "BillingDriver",
    "CustomerLogin",
    "CustomerLoginEnd",
    "Industry",
    "InvitationState",
    "KnownPlace",
    "LoginFailure",
    "LoginSession",
    "OperatorInvitation",
    "PaymentMethodType",
    "Plan",
    "RecoveryCode",
    "Role",
    "SecondFactor",
    "Site",
    "SiteStatus",
    "SiteUserAccess",
    "Subscription",
    "SubscriptionStatus",
    "SuspendedReason",
    "TeamInvitation",
    "Terms",
    "TrialTaken",
    "User",
    "terms_columns",
]
