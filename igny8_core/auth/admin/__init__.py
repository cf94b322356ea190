"""Console pages of accounts, people and plans; importing them registers them."""

from igny8_core.auth.admin import (
    group,
    industry,
    invitation,
    login_guard,
    login_session,
    operator_invitation,
    plan,
    second_factor,
    site,
    site_access,
    user,
)

__all__ = [
    "group",
    "industry",
    "invitation",
    "login_guard",
    "login_session",
    "operator_invitation",
    "plan",
    "second_factor",
    "site",
    "site_access",
    "user",
]
