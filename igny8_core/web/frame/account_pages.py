"""The pages of an account: one menu beside all of them, and what their templates are told.

Their first HTML is drawn here with what it can show; their modules read and change data with the REST API, as any
other frontend would.
"""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from igny8_core.auth.models import MANAGER_ROLES, Account, Role, User
from igny8_core.web.frame.rendering import page

EVERYBODY = frozenset(Role.values)
MANAGERS = frozenset(MANAGER_ROLES)


@dataclass(frozen=True)
class Entry:
    """A page of the menu: the name of its address, what it is called, and whose roles may open it."""

    name: str
    label: str | Promise
    roles: frozenset[str] = EVERYBODY


# In the order in which they stand.
MENU = (
    Entry("account_settings", _("Account settings")),
    Entry("account_billing", _("Plan and billing")),
    Entry("account_invoices", _("Invoices")),
    Entry("account_purchase", _("Buy credits"), MANAGERS),
    Entry("account_team", _("Team")),
    Entry("account_usage", _("Usage")),
    Entry("account_activity", _("Activity")),
)


def account_page(
    request: HttpRequest, person: User, account: Account, here: str, template: str, context: dict[str, Any]
) -> HttpResponse:
    """The page of a template that extends web/account/frame.html; `here` is the name of its entry in MENU.

    The template is told `account`, `menu`, `here`, `is_manager` (owner or admin) and `is_owner`.
    """
    known = {
        "account": account,
        "menu": [entry for entry in MENU if person.role in entry.roles],
        "here": here,
        "is_manager": person.role in MANAGERS,
        "is_owner": person.role == Role.OWNER,
    }
    return page(request, template, known | context)
