"""Each role of operators opens what docs/console-access.md says, and nothing else; real requests are compared."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.template.response import SimpleTemplateResponse
from django.test import Client

from igny8_core.admin.site import ConsoleSite
from igny8_core.auth.management.commands.list_console_access import may_open
from igny8_core.auth.operator_roles import ROLES, OperatorRole
from igny8_core.console.access import ConsolePage, pages_of_console, permissions_asked
from igny8_core.web.frame import refusals
from tests import make
from tests.admin.samples import first_of_each

DOCUMENT = Path(__file__).parents[2] / "docs" / "console-access.md"
# What nobody may is refused to superusers too (test_protected.py).
PAGES = [page for page in pages_of_console() if permissions_asked(page)]
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


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks at the pages here: whether they are answered is decided before they are drawn."""
    monkeypatch.setattr(SimpleTemplateResponse, "rendered_content", "")
    monkeypatch.setattr(refusals, "render_to_string", lambda *args: "")
    monkeypatch.setattr(ConsoleSite, "each_context", lambda site, request: {})


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_role_opens_what_the_table_says(role: OperatorRole, newest: Callable[[ConsolePage], str]) -> None:
    browser, wrong = operator_as(role.name), {}
    # A customer's login, which is newer than the operator's.
    make.user(account=make.account())

    for page in PAGES:
        address, sent = newest(page), POSTED.get(page.name, {})
        is_sent = sent or page.does == "saves"
        answer = browser.post(address, sent) if is_sent else browser.get(address)
        if (answer.status_code != 403) != may_open(page, role):
            wrong[f"{page.does} {address}"] = answer.status_code

    assert wrong == {}
