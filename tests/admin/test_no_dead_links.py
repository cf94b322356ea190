"""An operator with few permissions meets no link that leads to a refusal, and a refusal is a page of the console."""

import html
import re
from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import Group, Permission
from django.http import HttpResponse
from django.test import Client

from igny8_core.auth.models import User
from igny8_core.auth.operator_roles import ROLES, OperatorRole
from igny8_core.business.billing.admin import documents
from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.events.registry import event_type
from tests import make
from tests.admin.samples import first_of_each
from tests.cases import some_of

pytestmark = pytest.mark.django_db

# What docs/operators.md gives somebody who only works off payments.
PAYMENTS_ONLY = ["view_payment", "approve_payment"]
LINK = re.compile(r'href="([^"#]+)')


def operator(*codenames: str) -> Client:
    person = make.user(is_staff=True)
    person.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    browser = Client()
    browser.force_login(person)
    return browser


def links_of(text: str) -> Iterator[str]:
    for found in LINK.findall(text):
        link = html.unescape(found)
        # Filters and pages of a list lead to the same list.
        if link.startswith("/admin/") and "/logout/" not in link:
            yield link.partition("?")[0]


def kind_of(link: str) -> str:
    """The page that a link leads to, whichever row stands on it.

    Histories are one page for all models, and so are questions before deleting; who may open which is asked in
    test_console_access.py.
    """
    page = re.sub(r"/(\d+|[0-9a-f-]{36})/", "/*/", link)
    return re.sub(r"^/admin/\w+/\w+/\*/(history|delete)/$", r"/admin/*/*/*/\1/", page)


@pytest.fixture(scope="module")
def documents_so_far() -> dict[str, bytes]:
    """By the name under which they are saved."""
    return {}


@pytest.fixture
def drawn_once(documents_so_far: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """The PDFs and pictures of the same rows are drawn for the first role that may have them."""
    whole = documents.served

    def served(read: Callable[[], bytes], content_type: str, name: str, *, inline: bool) -> HttpResponse:
        def kept() -> bytes:
            return documents_so_far.get(name) or documents_so_far.setdefault(name, read())

        return whole(kept, content_type, name, inline=inline)

    monkeypatch.setattr(documents, "served", served)


def refusals_of(browser: Client, limit: int = 80, name: Callable[[str], str] = str) -> dict[str, str]:
    """Each link that did not answer with a page, with the page that it stands on. Of one `name` only the first."""
    to_open, seen, refused = [("/admin/", "")], {"/admin/"}, {}
    for address, source in to_open:
        answer = browser.get(address, follow=True)
        if answer.status_code != 200:
            refused[address] = source
            continue
        if not answer["Content-Type"].startswith("text/html"):
            continue
        new = {name(link): link for link in links_of(answer.content.decode()) if name(link) not in seen}
        room = [*new.items()][: max(0, limit - len(seen))]
        seen.update(known for known, _ in room)
        to_open += [(link, address) for _, link in room]
    assert len(seen) > 5
    return refused


@pytest.mark.usefixtures("framed_once")
@pytest.mark.parametrize(
    "codenames",
    [
        PAYMENTS_ONLY,
        [*PAYMENTS_ONLY, "refund_payment"],
        ["view_account", "suspend_account"],
        ["view_invoice", "void_invoice"],
        ["view_subscription"],
        ["view_event"],
    ],
    ids=lambda names: "+".join(names),
)
def test_no_link_of_the_console_leads_to_a_refusal(codenames: list[str]) -> None:
    first_of_each()

    assert refusals_of(operator(*codenames)) == {}


@pytest.mark.usefixtures("framed_once", "drawn_once")
@pytest.mark.parametrize("role", some_of(ROLES, each=6), ids=lambda role: role.name)
def test_no_link_leads_a_role_to_a_refusal(defaults: None, role: OperatorRole) -> None:
    first_of_each()
    make.submitted_payment()
    make.invoice()
    browser = operator()
    User.objects.latest("pk").groups.add(Group.objects.get(name=role.name))

    assert refusals_of(browser, limit=1_000, name=kind_of) == {}


def test_a_refusal_says_what_is_missing_and_whom_to_ask(defaults: None) -> None:
    owner = make.user(is_staff=True, first_name="Ona", last_name="Owner")
    owner.groups.add(Group.objects.get(name="Owner"))
    payment = make.submitted_payment()

    whole = operator().get("/admin/igny8_auth/user/").content.decode()
    button = operator("view_payment").get(f"/admin/billing/payment/{payment.pk}/refund/").content.decode()
    superusers = operator("view_group").post("/admin/auth/group/add/").content.decode()

    assert "Can view user (igny8_auth.view_user)" in whole
    assert "Can refund payments (billing.refund_payment)" in button
    assert "it is for superusers" in superusers
    assert "Ask Ona Owner." in whole


def test_what_an_operator_may_not_open_is_text_and_what_they_may_is_a_link() -> None:
    first_of_each()
    invoice = Invoice.objects.latest("pk")
    page = f"/admin/billing/invoice/{invoice.pk}/change/"
    account = f'href="/admin/igny8_auth/account/{invoice.account_id}/change/"'

    without = operator("view_invoice").get(page).content.decode()
    with_it = operator("view_invoice", "view_account").get(page).content.decode()

    assert account not in without
    assert str(invoice.account) in without
    assert account in with_it


def test_a_refusal_in_the_console_is_a_page_of_the_console() -> None:
    answer = operator(*PAYMENTS_ONLY).get("/admin/igny8_auth/user/")

    text = answer.content.decode()
    assert answer.status_code == 403
    assert "You may not open this" in text
    assert "nav-sidebar" in text
    assert 'href="/admin/"' in text


def test_an_address_that_the_console_does_not_have_is_a_page_of_the_console() -> None:
    answer = operator(*PAYMENTS_ONLY).get("/admin/nothing/here/")

    assert answer.status_code == 404
    assert "There is nothing here" in answer.content.decode()


def test_a_refusal_outside_the_console_is_a_page_for_people(client: Client) -> None:
    answer = client.get("/nothing/here/")

    assert answer.status_code == 404
    assert "There is nothing here" in answer.content.decode()
    assert "/admin/" not in answer.content.decode()


@pytest.mark.parametrize("address", ["/admin/login/", "/admin/login/?next="])
def test_logging_in_without_a_next_page_leads_to_the_dashboard(client: Client, olga: User, address: str) -> None:
    shown = client.get(address).content.decode()
    fields = dict(re.findall(r'<input type="hidden" name="(next)" value="([^"]*)"', shown))

    answer = client.post(address, {"username": olga.email, "password": make.PASSWORD, **fields})

    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert client.get("/admin/").status_code == 200


def test_who_comes_from_a_page_of_the_console_is_led_back_there(client: Client, olga: User) -> None:
    asked = client.get("/admin/billing/payment/?q=7")

    answer = client.post(asked["Location"], {"username": olga.email, "password": make.PASSWORD})

    assert answer["Location"] == "/admin/billing/payment/?q=7"


def test_the_history_of_a_payment_says_who_approved_it(console: Client, olga: User) -> None:
    payment = make.submitted_payment()
    PaymentService.approve_manual_payment(payment, olga)

    text = console.get(f"/admin/billing/payment/{payment.pk}/history/").content.decode()

    assert event_type("payment.approved").says in html.unescape(text)
    assert olga.email in text
