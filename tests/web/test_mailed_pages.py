"""The pages that links of mails lead to: a new password, confirming an address."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from igny8_core.auth.models import LoginSession, User
from igny8_core.auth.services.mailed_tokens import Purpose, link_token
from igny8_core.auth.services.sessions import open_session
from igny8_core.events.models import Event
from tests import make
from tests.web.people import NEW_PASSWORD, browser_of, is_signed_in, says, sign_in

pytestmark = pytest.mark.django_db

TWICE = {"new_password": NEW_PASSWORD, "new_password_confirm": NEW_PASSWORD}


def reset_link(person: User) -> str:
    return f"/new-password/{link_token(person, Purpose.RESET, timezone.now())}"


def verify_link(person: User) -> str:
    return f"/verify-email/{link_token(person, Purpose.VERIFICATION, timezone.now())}"


# --- Forgotten password -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("email", ["alice@example.com", "nobody@example.com"])
def test_asking_for_a_link_says_the_same_to_everybody(client: Client, alice: User, email: str) -> None:
    answer = client.post("/forgotten-password", {"email": email})

    assert (answer.status_code, answer["Location"]) == (303, "/forgotten-password/sent")
    assert says(client.get(answer["Location"]), "If there is a login with that e-mail address, a link is on its way.")
    assert Event.objects.filter(type="user.password_reset_requested").count() == 1


def test_an_address_that_is_none_is_refused_at_its_field(client: Client) -> None:
    answer = client.post("/forgotten-password", {"email": "nobody"})

    assert answer.status_code == 400
    assert 'value="nobody"' in answer.content.decode()
    assert says(answer, "An e-mail address in plain ASCII is expected, for example name@example.com.")
    assert not Event.objects.exists()


def test_links_are_asked_for_a_few_times_only(client: Client, alice: User, throttling: None, settings: Any) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "reset": ["2/hour"]}

    answers = [client.post("/forgotten-password", {"email": alice.email}).status_code for _ in range(3)]

    assert answers == [303, 303, 429]
    assert Event.objects.filter(type="user.password_reset_requested").count() == 2


# --- New password -------------------------------------------------------------------------------------------------


def test_a_new_password_is_set_and_every_session_ends(alice: User) -> None:
    elsewhere, here = browser_of(alice), browser_of(alice)
    link = reset_link(alice)
    assert says(here.get(link), alice.email)

    answer = here.post(link, TWICE)

    assert (answer.status_code, answer["Location"]) == (303, "/login")
    assert says(here.get("/login"), "Your new password is set.")
    assert not is_signed_in(elsewhere)
    assert not is_signed_in(here)
    assert sign_in(here, alice.email, NEW_PASSWORD).status_code == 303


def test_opening_the_link_uses_nothing_up(client: Client, alice: User) -> None:
    link = reset_link(alice)

    assert [client.get(link).status_code, client.head(link).status_code, client.get(link).status_code] == [200] * 3
    assert client.post(link, TWICE).status_code == 303


@pytest.mark.parametrize(
    ("typed", "field", "expected"),
    [
        ({"new_password": "short", "new_password_confirm": "short"}, "new_password", "This password is too short."),
        ({"new_password": "x" * 300, "new_password_confirm": "x" * 300}, "new_password", "This password is too long."),
        ({"new_password": "alice@example.com", "new_password_confirm": "alice@example.com"}, "new_password", "similar"),
        ({**TWICE, "new_password_confirm": "another phrase 12"}, "new_password_confirm", "The two passwords differ."),
        ({"new_password": NEW_PASSWORD}, "new_password_confirm", "Type the new password once more."),
        ({}, "new_password", "Enter a password."),
    ],
)
def test_a_password_that_cannot_be_set_is_refused_at_its_field_and_changes_nothing(
    client: Client, alice: User, typed: dict[str, str], field: str, expected: str
) -> None:
    link, before = reset_link(alice), alice.password

    answer = client.post(link, typed)

    assert answer.status_code == 400
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert says(answer, expected)
    assert NEW_PASSWORD not in answer.content.decode()
    alice.refresh_from_db()
    assert alice.password == before
    assert client.post(link, TWICE).status_code == 303, "the link is still good"


def test_a_second_click_finds_the_link_used(client: Client, alice: User) -> None:
    link = reset_link(alice)
    client.post(link, TWICE)

    for answer in (client.post(link, TWICE), client.get(link)):
        assert answer.status_code == 410
        assert says(answer, "If you have just set a new password with it, sign in.")


def test_a_link_that_has_run_out_says_so_and_leads_to_a_new_one(client: Client, alice: User) -> None:
    link = reset_link(alice)

    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        answer = client.post(link, TWICE)

    assert answer.status_code == 410
    assert 'href="/forgotten-password"' in answer.content.decode()


@pytest.mark.parametrize("cut", ["x", "a:b:c", "{link}x", "{verification}"])
def test_a_link_that_is_not_whole_or_for_something_else_opens_nothing(client: Client, alice: User, cut: str) -> None:
    whole = reset_link(alice).rpartition("/")[2]
    other = verify_link(alice).rpartition("/")[2]

    answer = client.post(f"/new-password/{cut.format(link=whole, verification=other)}", TWICE)

    assert answer.status_code == 400
    assert says(answer, "This is not a whole link")
    alice.refresh_from_db()
    assert alice.check_password(make.PASSWORD)


def test_tokens_are_tried_a_few_times_only(client: Client, throttling: None, settings: Any) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "token": ["2/minute"]}

    answers = [client.get(f"/{page}/x").status_code for page in ("new-password", "verify-email", "invitations")]

    assert answers == [400, 400, 429]


@pytest.mark.parametrize("page", ["new-password", "verify-email", "invitations"])
def test_nobody_keeps_a_page_whose_address_is_a_key(client: Client, page: str) -> None:
    answer = client.get(f"/{page}/x")

    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert answer["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("page", ["new-password", "verify-email", "invitations"])
def test_the_key_in_the_address_is_not_logged(client: Client, page: str, caplog: pytest.LogCaptureFixture) -> None:
    client.get(f"/{page}/a-key-of-somebody")

    assert "a-key-of-somebody" not in caplog.text


# --- Confirming an address ----------------------------------------------------------------------------------------


def test_the_button_confirms_and_opening_the_page_does_not(client: Client, alice: User) -> None:
    link = verify_link(alice)

    for shown in (client.get(link), client.head(link)):
        assert shown.status_code == 200
    alice.refresh_from_db()
    assert alice.email_verified_at is None
    answer = client.post(link)

    assert (answer.status_code, answer["Location"]) == (303, "/login")
    alice.refresh_from_db()
    assert alice.email_verified_at is not None
    assert Event.objects.filter(type="user.email_verified").count() == 1


def test_who_is_signed_in_is_led_home(alice: User) -> None:
    browser = browser_of(alice)

    answer = browser.post(verify_link(alice))

    assert answer["Location"] == "/home"
    assert says(browser.get("/home"), "Your e-mail address is confirmed. Thank you.")


def test_a_second_click_finds_the_address_confirmed(alice: User) -> None:
    link, browser = verify_link(alice), browser_of(alice)
    browser.post(link)

    answer = browser.post(link)

    assert answer.status_code == 410
    assert says(answer, "Your address is confirmed")
    assert says(Client().get(link), "If you have just confirmed your address with it, all is well.")
    assert Event.objects.filter(type="user.email_verified").count() == 1


def test_a_new_link_is_mailed_on_request_and_not_too_often(alice: User, throttling: None, settings: Any) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "verify": ["2/hour"]}
    browser = browser_of(alice)
    assert says(browser.get("/home"), "Please confirm")

    answers = [browser.post("/verify-email").status_code for _ in range(3)]

    assert answers == [303, 303, 429]
    assert Event.objects.filter(type="user.verification_requested").count() == 2


def test_who_has_confirmed_is_not_asked_again(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(email_verified_at=timezone.now())
    browser = browser_of(alice)

    assert not says(browser.get("/home"), "Please confirm")
    assert browser.post("/verify-email").status_code == 303
    assert says(browser.get("/home"), "Your e-mail address is already verified.")
    assert not Event.objects.filter(type="user.verification_requested").exists()


def test_nobody_else_can_have_links_mailed(client: Client) -> None:
    assert client.post("/verify-email")["Location"].startswith("/login?next=")
    assert LoginSession.objects.count() == 0
    assert not Event.objects.exists()


def test_a_token_of_the_api_works_as_before(client: Client, alice: User) -> None:
    token = reset_link(alice).rpartition("/")[2]
    pair = open_session(alice)

    answer = client.post(
        "/api/v1/auth/password/reset/confirm/", {"token": token, "new_password": NEW_PASSWORD}, "application/json"
    )

    assert answer.status_code == 200
    assert client.get("/api/v1/auth/me/", headers={"Authorization": f"Bearer {pair.access}"}).status_code == 401
