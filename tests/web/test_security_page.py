"""The second step of signing in on our pages: setting it up, using it, taking it off (AUT-30, AUT-32)."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from igny8_core.auth.models import User
from igny8_core.events.models import Event
from tests import make
from tests.auth.devices import Device, give_second_factor, secret_of
from tests.web.people import browser_of, is_signed_in, says, sign_in
from tests.web.signup import signs_up

pytestmark = pytest.mark.django_db


def hidden(answer: Any) -> dict[str, str]:
    """What the second step's form holds."""
    found = answer.content.decode().split('name="half" value="')[1]
    return {"half": found.split('"')[0]}


def do(browser: Client, what: str, **more: str) -> Any:
    return browser.post("/security", {"do": what, **more})


@pytest.fixture
def phone(alice: User) -> Device:
    return give_second_factor(alice)


def test_the_password_leads_to_the_step_that_asks_for_the_code(client: Client, alice: User, phone: Device) -> None:
    asked = sign_in(client, alice.email, next="/sites")
    wrong = client.post("/login/code", {**hidden(asked), "otp": "000000", "next": "/sites"})
    assert (asked.status_code, wrong.status_code, is_signed_in(client)) == (200, 401, False)
    assert says(wrong, "This is not a code of your device now, or it was used already.")

    right = client.post("/login/code", {**hidden(wrong), "otp": phone.code(), "next": "/sites"})

    assert (right.status_code, right["Location"]) == (303, "/sites")
    assert is_signed_in(client)


def test_who_signs_up_again_with_their_password_is_asked_as_well(client: Client, alice: User, phone: Device) -> None:
    make.plan("free", price=0)

    answer = signs_up(client, email=alice.email, password=make.PASSWORD)

    assert says(answer, "Second step")
    assert not is_signed_in(client)


@pytest.mark.parametrize("half", ["", "x", "1.abc", "1.abc:1tYv3e:sig"])
def test_what_we_did_not_sign_begins_anew(client: Client, alice: User, phone: Device, half: str) -> None:
    answer = client.post("/login/code", {"half": half, "otp": phone.code()})

    assert (answer.status_code, answer["Location"]) == (303, "/login")


def test_the_step_waits_for_ten_minutes_and_no_longer_than_the_password(
    client: Client, alice: User, phone: Device
) -> None:
    asked = sign_in(client, alice.email)
    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=False):
        late = client.post("/login/code", {**hidden(asked), "otp": phone.code()})
    alice.set_password("a lonely engine hums")
    alice.save()
    other = client.post("/login/code", {**hidden(asked), "otp": phone.code()})

    assert [late["Location"], other["Location"], is_signed_in(client)] == ["/login", "/login", False]


@pytest.mark.usefixtures("throttling")
def test_guesses_are_counted(client: Client, alice: User) -> None:
    give_second_factor(alice)
    asked = sign_in(client, alice.email)

    answers = [client.post("/login/code", {**hidden(asked), "otp": "000000"}) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [401] * 4 + [429]
    assert int(answers[-1]["Retry-After"]) > 0


def test_it_is_set_up_and_taken_off_on_one_page(alice: User) -> None:
    browser, elsewhere = browser_of(alice), browser_of(alice)
    assert do(browser, "begin").status_code == 409
    User.objects.filter(pk=alice.pk).update(email_verified_at=timezone.now())

    do(browser, "begin")
    shown = browser.get("/security")
    secret = " ".join(shown.content.decode().split('<p class="key"><code>')[1].split("</code>")[0].split())
    wrong = do(browser, "enable", otp="000000")
    codes = do(browser, "enable", otp=Device(secret_of(secret), []).code())

    assert b'<svg class="qr"' in shown.content
    assert (wrong.status_code, says(wrong, "This is not the code that the app shows now.")) == (400, True)
    assert codes.content.decode().count("<li><code>") == 10
    assert (is_signed_in(browser), is_signed_in(elsewhere)) == (True, False)
    assert says(browser.get("/security"), "10 recovery codes are left.")
    assert do(browser, "renew").content.decode().count("<li><code>") == 10
    assert do(browser, "disable")["Location"] == "/security"
    assert says(browser.get("/security"), "Your password alone signs you in now.")
    Event.objects.get(type="second_factor.disabled")


def test_a_device_that_was_not_set_up_is_forgotten(alice: User, phone: Device) -> None:
    browser = browser_of(alice)
    do(browser, "begin")
    assert b'class="qr"' in browser.get("/security").content

    do(browser, "stop")

    assert says(browser.get("/security"), "It is on: signing in needs your password and a code of your device.")


def test_taking_it_off_asks_who_it_is_and_goes_on(alice: User, phone: Device, settings: Any) -> None:
    settings.CONFIRMATION_AGE = timedelta(minutes=5)
    with time_machine.travel(timezone.now() - timedelta(minutes=10), tick=False):
        browser = browser_of(alice)

    asked = do(browser, "disable")
    wrong = do(browser, "disable", confirm_otp="000000")
    alice.refresh_from_db()
    assert (asked.status_code, wrong.status_code, alice.second_factor_since is None) == (403, 400, False)
    assert b'<input type="hidden" name="do" value="disable">' in wrong.content
    done = do(browser, "disable", confirm_otp=phone.code())

    alice.refresh_from_db()
    assert (done["Location"], alice.second_factor_since) == ("/security", None)


def test_without_a_device_the_password_confirms(alice: User, settings: Any) -> None:
    settings.CONFIRMATION_AGE = timedelta(minutes=5)
    User.objects.filter(pk=alice.pk).update(email_verified_at=timezone.now())
    with time_machine.travel(timezone.now() - timedelta(minutes=10), tick=False):
        browser = browser_of(alice)

    asked = do(browser, "begin")

    assert b'name="confirm_password"' in asked.content
    assert do(browser, "begin", confirm_password="wrong").status_code == 400
    assert do(browser, "begin", confirm_password=make.PASSWORD).status_code == 303
    assert b'class="qr"' in browser.get("/security").content
