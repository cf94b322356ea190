"""Signing in and out on our pages, and when a session ends (faults: P2, A14)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from igny8_core.auth.models import LoginSession, User
from igny8_core.auth.services import users
from igny8_core.auth.services.mailed_tokens import Purpose, link_token
from igny8_core.auth.services.sessions import end_sessions, open_session
from tests import make
from tests.web.people import COOKIE, NEW_PASSWORD, browser_of, is_signed_in, says, sign_in

pytestmark = pytest.mark.django_db


def test_the_right_password_signs_in_and_leads_home(client: Client, alice: User) -> None:
    answer = sign_in(client, "ALICE@example.com ")

    assert (answer.status_code, answer["Location"]) == (303, "/home")
    assert says(client.get("/home"), str(alice.account))
    cookie = answer.cookies[COOKIE]
    assert cookie["httponly"]
    assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("Lax", "/", "")


def test_the_cookie_s_secret_is_not_in_the_database(client: Client, alice: User) -> None:
    cookie = sign_in(client, alice.email).cookies[COOKIE].value

    session = LoginSession.objects.get()
    assert session.current_token not in cookie
    assert cookie.partition(".")[2] not in session.current_token


@pytest.mark.parametrize("address", ["/home", "/home/", "/invitations/x", "/own-account?plan=free"])
def test_who_was_led_to_the_login_is_led_back(client: Client, alice: User, address: str) -> None:
    answer = sign_in(client, alice.email, next=address)

    assert answer["Location"] == address


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
        "///evil.example", "/\t/evil.example", " //evil.example", "evil.example", "http:///evil.example", "home",
    ],
)  # fmt: skip
def test_nobody_is_led_to_another_site(client: Client, alice: User, address: str) -> None:
    assert "evil" not in client.get("/login", {"next": address}).content.decode()
    answer = sign_in(client, alice.email, next=address)

    assert answer["Location"] == "/home"


def test_a_page_for_who_is_signed_in_asks_to_sign_in_and_comes_back(client: Client, alice: User) -> None:
    asked = client.get("/own-account")

    assert (asked.status_code, asked["Location"]) == (303, "/login?next=%2Fown-account")
    assert 'name="next" value="/own-account"' in client.get(asked["Location"]).content.decode()


@pytest.mark.parametrize("email", ["alice@example.com", "nobody@example.com", "inactive@example.com"])
def test_a_wrong_password_says_the_same_to_everybody_and_keeps_the_address(
    client: Client, alice: User, email: str
) -> None:
    make.user(email="inactive@example.com", is_active=False)

    answer = sign_in(client, email, "wrong-password-9")

    assert answer.status_code == 401
    assert says(answer, "The e-mail address or the password is wrong.")
    assert f'value="{email}"' in answer.content.decode()
    assert "wrong-password-9" not in answer.content.decode()
    assert not LoginSession.objects.exists()
    assert COOKIE not in answer.cookies


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("email", "", "Enter your e-mail address, for example name@example.com."),
        ("email", "alice", "An e-mail address in plain ASCII is expected, for example name@example.com."),
        ("email", "älice@example.com", "An e-mail address in plain ASCII is expected, for example name@example.com."),
        ("email", f"{'a' * 260}@example.com", "An e-mail address in plain ASCII is expected"),
        ("email", "a\0b@example.com", "An e-mail address in plain ASCII is expected"),
        ("password", "", "Enter your password."),
        ("password", "x" * 1025, "Ensure this field has no more than 1024 characters."),
    ],
)
def test_what_is_wrong_stands_at_its_field(client: Client, alice: User, field: str, value: str, expected: str) -> None:
    typed = {"email": alice.email, "password": make.PASSWORD, field: value}

    answer = client.post("/login", typed)

    assert answer.status_code == 400
    assert says(answer, expected)
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert not LoginSession.objects.exists()


def test_too_many_tries_have_to_wait_here_and_at_the_api_alike(
    client: Client, alice: User, throttling: None, settings: Any
) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "login": ["3/minute"]}
    api = APIClient()
    for _ in range(2):
        api.post("/api/v1/auth/login/", {"email": alice.email, "password": "wrong"}, format="json")
    assert sign_in(client, alice.email, "wrong").status_code == 401

    refused = sign_in(client, alice.email)

    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 60
    assert says(refused, "Try again in")
    assert not LoginSession.objects.exists()


def test_a_form_without_its_hidden_field_changes_nothing_and_says_what_to_do(alice: User) -> None:
    answer = sign_in(browser_of(enforce_csrf_checks=True), alice.email)

    assert answer.status_code == 403
    assert says(answer, "Please send that again")
    assert not LoginSession.objects.exists()


def test_signing_in_twice_leaves_one_session_of_the_browser(client: Client, alice: User) -> None:
    sign_in(client, alice.email)
    sign_in(client, alice.email)

    assert LoginSession.objects.filter(ended_at=None).count() == 1
    assert is_signed_in(client)


def test_who_is_signed_in_already_is_led_on(alice: User) -> None:
    answer = browser_of(alice).get("/login?next=/own-account")

    assert (answer.status_code, answer["Location"]) == (302, "/own-account")


def test_signing_out_ends_the_session_also_for_who_kept_the_cookie(alice: User) -> None:
    browser = browser_of(alice)
    thief = Client()
    thief.cookies[COOKIE] = browser.cookies[COOKIE].value

    answer = browser.post("/logout")

    assert (answer.status_code, answer["Location"]) == (303, "/login")
    assert says(browser.get("/login"), "You are signed out.")
    assert not is_signed_in(browser)
    assert not is_signed_in(thief)
    assert browser.post("/logout").status_code == 303, "signing out twice is no error"


def test_opening_the_address_of_signing_out_changes_nothing(alice: User) -> None:
    browser = browser_of(alice)

    assert browser.get("/logout").status_code == 302
    assert is_signed_in(browser)


def change_password(alice: User) -> None:
    users.change_password(alice, make.PASSWORD, NEW_PASSWORD)


def reset_password(alice: User) -> None:
    users.reset_password(link_token(alice, Purpose.RESET, timezone.now()), NEW_PASSWORD)


def set_by_operator(alice: User) -> None:
    alice.set_password(NEW_PASSWORD)
    alice.save()


def deactivate(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)


def end_everywhere(alice: User) -> None:
    end_sessions(alice, "membership_ended")


@pytest.mark.parametrize("end", [change_password, reset_password, set_by_operator, deactivate, end_everywhere])
def test_what_ends_sessions_ends_those_of_pages_at_once(alice: User, end: Callable[[User], None]) -> None:
    browser = browser_of(alice)
    assert is_signed_in(browser)

    end(alice)

    assert not is_signed_in(browser)
    assert browser.get("/api/v1/auth/me/").status_code == 401


def test_a_session_that_nobody_uses_ends(alice: User) -> None:
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        browser = browser_of(alice)
        clock.shift(settings.PAGE_SESSION_IDLE - timedelta(seconds=1))
        assert is_signed_in(browser)
        clock.shift(settings.PAGE_SESSION_IDLE - timedelta(seconds=1))
        assert is_signed_in(browser), "it was used in between"
        clock.shift(settings.PAGE_SESSION_IDLE)
        assert not is_signed_in(browser)


def test_a_session_that_is_used_all_the_time_ends_too(alice: User, settings: Any) -> None:
    settings.PAGE_SESSION_MAX_AGE = timedelta(days=2)
    began = timezone.now()
    with time_machine.travel(began, tick=False) as clock:
        browser = browser_of(alice)
        while timezone.now() + timedelta(hours=6) < began + settings.PAGE_SESSION_MAX_AGE:
            clock.shift(timedelta(hours=6))
            assert is_signed_in(browser)
        clock.move_to(began + settings.PAGE_SESSION_MAX_AGE)
        assert not is_signed_in(browser)


def test_a_shorter_life_counts_for_sessions_that_are_there_already(alice: User, settings: Any) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        browser = browser_of(alice)
        clock.shift(timedelta(hours=2))
        settings.PAGE_SESSION_MAX_AGE = timedelta(hours=2)
        assert not is_signed_in(browser)


@pytest.mark.parametrize("value", ["", "x", "x.y", ".", "0" * 32 + ".", "é.é", "{session}", "{session}.{token}"])
def test_a_cookie_that_we_never_made_signs_nobody_in(alice: User, value: str) -> None:
    open_session(alice)
    session = LoginSession.objects.get()
    browser = Client()
    browser.cookies[COOKIE] = value.format(session=session.pk.hex, token=session.current_token)

    assert browser.get("/home").status_code == 303
    assert browser.get("/api/v1/auth/me/").status_code == 401


# --- The API with the pages' cookie -------------------------------------------------------------------------------


def csrf_token_of(browser: Client) -> str:
    text = browser.get("/home").content.decode()
    return text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]


def test_scripts_of_our_pages_call_the_api_with_the_cookie(alice: User) -> None:
    browser = browser_of(alice, enforce_csrf_checks=True)
    assert browser.get("/api/v1/auth/me/").json()["data"]["user"]["email"] == alice.email
    token = csrf_token_of(browser)

    answer = browser.patch(
        "/api/v1/auth/me/", {"first_name": "Alicia"}, "application/json", headers={"X-CSRFToken": token}
    )

    assert answer.status_code == 200
    alice.refresh_from_db()
    assert alice.first_name == "Alicia"


def test_another_site_s_form_cannot_use_the_cookie(alice: User) -> None:
    browser = browser_of(alice, enforce_csrf_checks=True)
    csrf_token_of(browser)

    for headers in ({}, {"X-CSRFToken": "x" * 64}):
        answer = browser.patch("/api/v1/auth/me/", {"first_name": "Eve"}, "application/json", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    alice.refresh_from_db()
    assert alice.first_name != "Eve"


def test_a_bearer_token_needs_no_csrf_token_and_comes_before_the_cookie(alice: User, bob: User) -> None:
    browser = browser_of(alice, enforce_csrf_checks=True)
    headers = {"Authorization": f"Bearer {open_session(bob).access}"}

    answer = browser.patch("/api/v1/auth/me/", {"first_name": "Robert"}, "application/json", headers=headers)

    assert answer.json()["data"]["user"]["email"] == bob.email
    assert browser.get("/api/v1/auth/me/", headers={"Authorization": "Bearer x"}).status_code == 401
