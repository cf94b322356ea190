"""The profile, which customers' programs ask for all day, by the statement that finds the session.

The plain form is `profile` with ProfileOutput (serializers.py); a test compares both (tests/auth/test_hot_reads.py).
"""

import json
from collections.abc import Sequence
from typing import Any

from igny8_core.auth.callers import CallerRead, Reading
from igny8_core.common.money import format_amount

USER = ("id", "email", "first_name", "last_name", "role", "language", "is_staff", "email_verified")
PLAN = (
    *("id", "name", "slug", "price", "currency", "billing_cycle"),
    *("included_credits", "max_sites", "max_users", "features"),
)
ACCOUNT = (
    *("id", "name", "slug", "status", "trial_ends_at", "plan", "credits", "billing_email", "billing_email_confirmed"),
    *("billing_address_line1", "billing_address_line2", "billing_city", "billing_state", "billing_postal_code"),
    *("billing_country", "tax_id", "timezone", "language"),
)
PROFILE = Reading(
    CallerRead(
        name="igny8_profile",
        types=(),
        sql="""
            SELECT person.id, person.email, person.first_name, person.last_name, person.role, person.language,
                   person.is_staff, person.email_verified_at IS NOT NULL,
                   plan.id, plan.name, plan.slug, plan.price, plan.currency, plan.billing_cycle,
                   plan.included_credits, plan.max_sites, plan.max_users, plan.features::text,
                   account.id, account.name, account.slug, account.status, account.trial_ends_at, NULL,
                   account.credits, account.billing_email,
                   account.billing_email <> '' AND account.billing_email = account.confirmed_billing_email,
                   account.billing_address_line1, account.billing_address_line2, account.billing_city,
                   account.billing_state, account.billing_postal_code, account.billing_country, account.tax_id,
                   account.timezone, account.language
            FROM igny8_users person
            LEFT JOIN igny8_accounts account ON account.id = person.account_id
            LEFT JOIN igny8_plans plan ON plan.id = account.plan_id
            WHERE person.id = caller.user_id
        """,
    )
)


def profile_of(rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """In the format of ProfileOutput, from the row of PROFILE: the caller's user and account."""
    (row,) = rows
    users, plans = len(USER), len(USER) + len(PLAN)
    user, plan = dict(zip(USER, row[:users], strict=True)), dict(zip(PLAN, row[users:plans], strict=True))
    account = dict(zip(ACCOUNT, row[plans:], strict=True))
    if account["id"] is None:
        return {"user": user, "account": None}
    plan["price"], plan["features"] = format_amount(plan["price"], plan["currency"]), json.loads(plan["features"])
    account["plan"] = plan
    return {"user": user, "account": account}
