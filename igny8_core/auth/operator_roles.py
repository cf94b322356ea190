"""The roles of operators that a new installation has (groups of Django's), and what each may do."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

from django.apps import apps
from django.db.models import Model

OWNER = "Owner"


@dataclass(frozen=True)
class OperatorRole:
    """A role: its name, who it is for, and its permissions, as patterns such as "billing.view_*"."""

    name: str
    says: str
    permissions: tuple[str, ...]

    def has(self, permission: str) -> bool:
        """Whether the role has a permission, such as billing.view_payment."""
        return any(fnmatchcase(permission, pattern) for pattern in self.permissions)


# What whoever works with customers looks at to answer them.
_AROUND_AN_ACCOUNT = (
    *("igny8_auth.view_account", "igny8_auth.view_accountnote", "igny8_auth.view_plan"),
    *("igny8_auth.view_subscription", "billing.view_invoice", "billing.view_invoiceline", "billing.view_payment"),
    *("billing.view_paymentproof", "billing.view_refund", "billing.view_dispute", "billing.view_creditnote"),
    *("billing.view_allocation", "billing.view_bulkdecision*"),
)
_DAILY_DECISIONS = (
    *("igny8_auth.add_accountnote", "igny8_auth.decide_dunning", "igny8_auth.give_goodwill", "igny8_auth.resend_mail"),
    *("igny8_auth.end_subscription", "igny8_auth.change_subscription_plan"),
)

ROLES: tuple[OperatorRole, ...] = (
    OperatorRole(
        "Payments",
        "Checks confirmed payments all day: approves and rejects them.",
        (*_AROUND_AN_ACCOUNT, "billing.approve_payment", "igny8_auth.add_accountnote"),
    ),
    OperatorRole(
        "Support",
        "Answers customers: their accounts, people, sites and mails, deadlines, goodwill, and what they see.",
        (
            *_AROUND_AN_ACCOUNT,
            *_DAILY_DECISIONS,
            *("igny8_auth.change_account", "igny8_auth.suspend_account", "igny8_auth.look_as_customer"),
            *("igny8_auth.view_user", "igny8_auth.change_user", "igny8_auth.view_teaminvitation"),
            *("igny8_auth.view_site", "igny8_auth.view_siteuseraccess", "igny8_auth.view_industry"),
            *("igny8_auth.view_customerlogin", "billing.view_credit*", "billing.view_dunning*"),
            *("billing.view_accountpaymentmethod", "billing.view_paymentmethodconfig", "billing.view_renewal"),
            *("events.view_event", "events.view_delivery"),
        ),
    ),
    OperatorRole(
        "Finance",
        "Answers for the money: invoices, refunds, credits, subscriptions and what is overdue.",
        (
            *_AROUND_AN_ACCOUNT,
            *_DAILY_DECISIONS,
            *("billing.view_*", "igny8_auth.adjust_credits"),
            *("events.view_event", "events.view_delivery"),
            *("billing.approve_payment", "billing.refund_payment", "billing.check_payment"),
            *("billing.*_invoice", "billing.retry_renewal", "billing.*_businessday"),
        ),
    ),
    OperatorRole("Read only", "Looks at everything and changes nothing.", ("*.view_*",)),
    OperatorRole(
        OWNER, "Everything in the console but what superusers alone may: other operators' logins and groups.", ("*",)
    ),
)


def every_permission() -> list[str]:
    """All permissions that the console's models declare, such as billing.view_payment."""
    return sorted(name for model in apps.get_models() for name in _declared_by(model))


def _declared_by(model: type[Model]) -> list[str]:
    meta = model._meta
    own = [f"{action}_{meta.model_name}" for action in meta.default_permissions]
    return [f"{meta.app_label}.{name}" for name in (*own, *(codename for codename, _ in meta.permissions))]


@cache
def permissions_of(role: OperatorRole) -> frozenset[str]:
    """The permissions of a role as a new installation gives them."""
    return frozenset(permission for permission in every_permission() if role.has(permission))
