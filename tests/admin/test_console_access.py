"""Roles of operators open what docs/console-access.md says, and nothing else; real requests are compared."""

from collections.abc import Callable
from functools import cache
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client

from igny8_core.auth.management.commands.list_console_access import may_open
from igny8_core.auth.operator_roles import ROLES, OperatorRole, permissions_of
from igny8_core.console.access import ConsolePage, pages_of_console, permissions_asked
from tests import make
from tests.admin.samples import first_of_each
from tests.cases import some_of

DOCUMENT = Path(__file__).parents[2] / "docs" / "console-access.md"
# What nobody may is refused to superusers too (test_protected.py).
PAGES = [page for page in pages_of_console() if permissions_asked(page)]
# What pages without a form do.
LOOKS = {"looks", "pdf", "picture", "preview", "proof", "pages", "queue", "check", "decided", "previews"}
# Pages that nothing but a form is sent to.
POSTED = {
    "billing_payment_decide": {"decision": "approve"},
    "billing_invoice_decide": {"decision": "void"},
    "billing_paymentmethodconfig_switch": {"on": "1"},
    "events_delivery_drop_selected": {"deliveries": ""},
}


def test_the_document_is_what_the_command_prints() -> None:
    printed = StringIO()

    call_command("list_console_access", stdout=printed)

    assert DOCUMENT.read_text() == printed.getvalue(), "run: manage.py list_console_access > docs/console-access.md"


def operator_as(role: str) -> Client:
    person = make.user(is_staff=True, first_name=role)
    person.groups.add(Group.objects.get(name=role))
    browser = Client()
    browser.force_login(person)
    return browser


@pytest.fixture
def newest(defaults: None) -> Callable[[ConsolePage], str]:
    """The address of a page with the newest row in it, of rows that their state lets anybody change."""
    first_of_each()
    make.invoice()

    def address(page: ConsolePage) -> str:
        parts = page.shown.split("/")
        if "*" not in parts:
            return f"/{page.shown}"
        row = apps.get_model(parts[1], parts[2])._default_manager.order_by("pk").last()
        assert row, page.address
        return "/" + page.shown.replace("*", str(row.pk))

    return address


@cache
def who_may(page: ConsolePage) -> list[OperatorRole]:
    """The roles that may open a page, the one with the fewest permissions first."""
    return sorted((role for role in ROLES if may_open(page, role)), key=lambda role: len(permissions_of(role)))


@cache
def who_may_not(page: ConsolePage) -> list[OperatorRole]:
    """The other roles, in the same order."""
    return sorted(set(ROLES) - set(who_may(page)), key=lambda role: len(permissions_of(role)))


def who_asks(page: ConsolePage) -> list[OperatorRole]:
    """Of the roles that may open a page the one with the fewest permissions, and each that may not.

    Forms are sent as each role that may not in test_roles_act.py: the one with the most permissions is enough here.
    """
    return who_may(page)[:1] + (who_may_not(page) if page.does in LOOKS else who_may_not(page)[-1:])


def who_is_left(page: ConsolePage) -> list[OperatorRole]:
    """The other roles, but for those that may all that one may who opens the page: a permission more refuses nobody."""
    may_more = {role for few in who_may(page)[:1] for role in ROLES if permissions_of(role) >= permissions_of(few)}
    return [role for role in ROLES if role not in who_asks(page) and role not in may_more]


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("asking", "part"), some_of([(asking, part) for asking in (who_asks, who_is_left) for part in range(4)], each=8)
)
def test_a_role_opens_what_the_table_says(
    asking: Callable[[ConsolePage], list[OperatorRole]], part: int, newest: Callable[[ConsolePage], str]
) -> None:
    browsers, wrong = {role: operator_as(role.name) for role in ROLES}, {}
    # A customer's login, which is newer than the operators'.
    make.user(account=make.account())

    for page in PAGES[part::4]:
        address, sent = newest(page), POSTED.get(page.name, {})
        is_sent = sent or page.does == "saves"
        for role in asking(page):
            answer = browsers[role].post(address, sent) if is_sent else browsers[role].get(address)
            if (answer.status_code != 403) != (role in who_may(page)):
                wrong[f"{role.name} {page.does} {address}"] = answer.status_code

    assert wrong == {}
