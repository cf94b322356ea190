"""Operators look at a customer's pages: marked on each page, on the record, for a while, and changing nothing."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import get_resolver

from igny8_core.auth.models import Account, CustomerLogin, LoginSession, Role, User
from igny8_core.auth.services.customer_logins import begin_customer_login
from igny8_core.auth.services.page_sessions import is_operators
from igny8_core.auth.services.second_factor import begin_enrolment
from igny8_core.business.billing.services.invoices.pay_links import pay_link
from igny8_core.common import clock
from igny8_core.events.models import Event
from igny8_core.web.frame.addresses import path_of
from tests import make

PAGES = ["/home", "/account/billing", "/account/invoices", "/account/team", "/account/usage", "/account/activity"]
ENDS = {"/end-look", "/logout"}
LOOKS = "looks at the pages of"
# What would move money, or change who may log in or belongs to the account: by page and by API.
FORBIDDEN = [
    ("post", "/api/v1/billing/subscriptions/create/"),
    ("post", "/api/v1/billing/subscriptions/cancel/"),
    ("post", "/api/v1/billing/credits/purchase/"),
    ("post", "/api/v1/billing/credits/usage/"),
    ("post", "/api/v1/auth/change-password/"),
    ("patch", "/api/v1/auth/me/"),
    ("post", "/api/v1/auth/second-factor/"),
    ("post", "/api/v1/account/team/invite/"),
    ("patch", "/api/v1/account/settings/"),
    ("post", "/api/v1/account/transfer-ownership/"),
    ("post", "/api/v1/account/delete/"),
    ("post", "/own-account"),
    ("post", "/language"),
    ("post", "/login"),
]


def addresses_without_id() -> list[str]:
    """Every address outside the console that needs no id."""

    def routes(patterns: Any, before: str = "/") -> Any:
        for pattern in patterns:
            address = before + str(pattern.pattern)
            if hasattr(pattern, "url_patterns"):
                yield from routes(pattern.url_patterns, address)
            elif "<" not in address and "(" not in address and "^" not in address and not address.startswith("/admin"):
                yield address

    return list(routes(get_resolver().url_patterns))


def rows_of_everything() -> dict[str, tuple[int, str]]:
    """How many rows each table has, and a fingerprint of them; but for what counts requests."""
    counted = {"igny8_rate_counters", "igny8_limit_hits"}
    found = {}
    with connection.cursor() as cursor:
        for table in sorted({*connection.introspection.table_names(cursor)} - counted):
            cursor.execute(f'SELECT count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM "{table}" t')
            found[table] = cursor.fetchone()
    return found


@pytest.fixture
def looking(alice: User, olga: User, client: Client, settings: Any) -> Client:
    """A browser in which olga looks at the pages of alice's account."""
    assert alice.account
    client.cookies[settings.PAGE_SESSION_COOKIE_NAME] = begin_customer_login(alice.account, olga, "Ticket 7")
    return client


def test_the_console_leads_to_the_pages_and_the_button_back(console: Client, alice: User, olga: User) -> None:
    assert alice.account
    page = f"/admin/igny8_auth/account/{alice.account.pk}/"
    dialog = {
        "_form_submitted": "True",
        "key": "7f1c0a9a-6f0e-4bd8-8a43-0d5d9a4a1d11",
        "read": "x",
        "reason": "Ticket 7",
    }

    begun = console.post(f"{page}look/", dialog)
    seen = console.get("/home").content.decode()
    ended = console.post("/end-look")

    login = CustomerLogin.objects.get()
    assert (begun.status_code, begun["Location"]) == (302, "/home")
    assert alice.account.name in seen
    assert LOOKS in seen
    assert ended["Location"] == f"{page}change/"
    assert (login.operator, login.person, login.account, login.reason) == (olga, alice, alice.account, "Ticket 7")
    assert (login.ended_how, login.ended_at is not None) == ("button", True)
    assert console.get("/home").status_code == 303
    told = Event.objects.filter(account=alice.account, type__startswith="customer_login").order_by("pk")
    assert [(event.type, event.actor) for event in told] == [
        ("customer_login.began", olga),
        ("customer_login.ended", olga),
    ]
    assert "Ticket 7" in console.get(f"/admin/igny8_auth/customerlogin/{login.pk}/change/").content.decode()


@pytest.mark.parametrize("address", PAGES)
def test_every_page_says_who_looks(looking: Client, olga: User, address: str) -> None:
    answer = looking.get(address)

    text = answer.content.decode()
    assert answer.status_code == 200
    assert LOOKS in text
    assert olga.full_name in text
    assert 'action="/end-look"' in text


@pytest.mark.parametrize(("method", "address"), FORBIDDEN)
def test_nothing_can_be_changed_meanwhile(looking: Client, alice: User, method: str, address: str) -> None:
    before = list(User.objects.order_by("pk").values())

    answer = getattr(looking, method)(address, {}, content_type="application/json")

    assert answer.status_code == 403
    assert "nothing can be changed meanwhile" in answer.content.decode()
    assert list(User.objects.order_by("pk").values()) == before


def test_every_other_address_refuses_too(looking: Client) -> None:
    """Whatever is added later: an address takes no form, unless it ends the look."""

    asked = [address for address in addresses_without_id() if address.rstrip("/") not in ENDS]
    answers = {address: looking.post(address).status_code for address in asked}

    assert len(answers) > 50
    assert {address: status for address, status in answers.items() if status != 403} == {}


def test_a_look_ends_by_itself_and_use_does_not_prolong_it(looking: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    until = LoginSession.objects.get().expires_at
    real = clock.now

    for minutes in (10, 20, 29):
        monkeypatch.setattr(clock, "now", lambda minutes=minutes: real() + timedelta(minutes=minutes))
        assert looking.get("/home").status_code == 200
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(minutes=31))

    assert LoginSession.objects.get().expires_at == until
    assert looking.get("/home").status_code == 303


def test_the_mark_cannot_be_left_out(looking: Client, settings: Any) -> None:
    cookie = looking.cookies[settings.PAGE_SESSION_COOKIE_NAME]
    assert is_operators(cookie.value)

    looking.cookies[settings.PAGE_SESSION_COOKIE_NAME] = cookie.value.replace("~", "")

    assert looking.get("/home").status_code == 303


def test_who_is_no_operator_any_more_sees_nothing(looking: Client, olga: User) -> None:
    User.objects.filter(pk=olga.pk).update(is_staff=False)

    assert looking.get("/home").status_code == 303


def test_logging_out_ends_the_look(looking: Client) -> None:
    looking.post("/logout")

    assert CustomerLogin.objects.get().ended_how == "logged_out"
    assert LoginSession.objects.get().ended_at is not None


def test_nobody_looks_as_another_operator(console: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    assert alice.account
    dialog = {
        "_form_submitted": "True",
        "key": "7f1c0a9a-6f0e-4bd8-8a43-0d5d9a4a1d11",
        "read": "x",
        "reason": "Ticket 7",
    }

    answer = console.post(f"/admin/igny8_auth/account/{alice.account.pk}/look/", dialog, follow=True)

    assert "is an operator too" in " ".join(str(message) for message in answer.context["messages"])
    assert not CustomerLogin.objects.exists()


def test_the_customer_sees_the_look_among_their_logins_and_in_the_activity(
    looking: Client, alice: User, as_user: Callable[[User], Any]
) -> None:
    sessions = as_user(alice).get("/api/v1/account/sessions/").json()["data"]
    rows = sessions if isinstance(sessions, list) else sessions["results"]

    assert any("support" in row["browser"] for row in rows)
    assert "Support looked at your pages" in looking.get("/account/activity").content.decode()


@pytest.mark.parametrize("case", ["permission", "superuser", "person is an operator", "person changed the account"])
def test_a_look_ends_with_what_allowed_it(looking: Client, alice: User, olga: User, case: str) -> None:
    assert looking.get("/home").status_code == 200

    if case == "permission":
        User.objects.filter(pk=olga.pk).update(is_superuser=False)
        olga.user_permissions.clear()
    elif case == "superuser":
        User.objects.filter(pk=alice.pk).update(is_superuser=True)
    elif case == "person is an operator":
        User.objects.filter(pk=alice.pk).update(is_staff=True)
    else:
        next_owner = make.user(account=alice.account, role=Role.OWNER)
        Account.objects.filter(pk=alice.account_id).update(owner=next_owner)
        User.objects.filter(pk=alice.pk).update(account=make.account())

    assert looking.get("/home").status_code == 303
    assert looking.get("/api/v1/account/activity/").status_code == 401


def test_leaving_the_console_ends_the_look_in_this_browser(looking: Client, olga: User, settings: Any) -> None:
    cookie = looking.cookies[settings.PAGE_SESSION_COOKIE_NAME].value
    looking.force_login(olga)
    assert looking.get("/home").status_code == 200

    looking.post("/admin/logout/")
    other = Client()
    other.cookies[settings.PAGE_SESSION_COOKIE_NAME] = cookie

    assert CustomerLogin.objects.get().ended_how == "logged_out"
    assert looking.cookies[settings.PAGE_SESSION_COOKIE_NAME].value == ""
    assert other.get("/home").status_code == 303


def test_who_knows_the_id_of_the_session_learns_and_ends_nothing(looking: Client, olga: User, settings: Any) -> None:
    """The customer reads it in the list of their logins."""
    guessed = Client()
    guessed.cookies[settings.PAGE_SESSION_COOKIE_NAME] = f"{CustomerLogin.objects.get().session_id.hex}.~guessed"

    page = guessed.get("/login").content.decode()
    guessed.post("/end-look")
    guessed.post("/logout")

    assert olga.full_name not in page
    assert CustomerLogin.objects.get().ended_at is None
    assert looking.get("/home").status_code == 200


def test_a_look_shows_no_secret_of_the_second_factor(looking: Client, alice: User) -> None:
    alice.email_verified_at = clock.now()
    secret = begin_enrolment(alice).secret

    page = looking.get("/security")

    assert page.status_code == 200
    assert secret not in page.content.decode()
    assert "otpauth:" not in page.content.decode()


@pytest.mark.stress
def test_opening_any_address_changes_nothing(looking: Client, alice: User) -> None:
    """Every page and every address of the API, as the owner of an account with an invoice, a site and a payment."""
    assert alice.account
    payment = make.submitted_payment(make.invoice(alice.account))
    make.site(alice.account)
    pay_page = path_of(pay_link(payment.invoice))
    query = "?token=EC-1&PayerID=2&payment_intent=pi_1&redirect_status=succeeded&as=csv&format=csv"
    opened = [*addresses_without_id(), pay_page, f"/account/invoices/{payment.invoice_id}"]
    before = rows_of_everything()

    statuses = {looking.get(f"{address}{query}").status_code for address in opened}

    assert statuses <= {200, 301, 302, 303, 400, 403, 404, 405, 409}
    assert rows_of_everything() == before


def test_once_a_look_is_over_the_browser_logs_in_as_any_other(
    looking: Client, alice: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cookie may still be there; it opens nothing, and stands in nobody's way."""
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(minutes=31))

    answer = looking.post("/login", {"email": alice.email, "password": make.PASSWORD})

    assert (answer.status_code, answer["Location"]) == (303, "/home")
    assert looking.get("/home").status_code == 200
    assert LOOKS not in looking.get("/home").content.decode()


def test_the_browser_forgets_a_look_when_it_is_over(console: Client, alice: User, settings: Any) -> None:
    assert alice.account
    dialog = {"_form_submitted": "True", "key": "7f1c0a9a-6f0e-4bd8-8a43-0d5d9a4a1d11", "read": "x", "reason": "T"}

    begun = console.post(f"/admin/igny8_auth/account/{alice.account.pk}/look/", dialog)

    age = begun.cookies[settings.PAGE_SESSION_COOKIE_NAME]["max-age"]
    assert age == settings.CUSTOMER_LOGIN_AGE.total_seconds()
