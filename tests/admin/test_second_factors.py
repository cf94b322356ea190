"""The console asks for the second factor, has who must set it up, and takes it from who lost it (AUT-32)."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from igny8_core.auth.models import SecondFactor, User
from igny8_core.events.models import Event
from tests import make
from tests.admin.samples import operator_with
from tests.auth.devices import Device, give_second_factor, secret_of

pytestmark = pytest.mark.django_db

FACTOR, CODE = "/admin/second-factor/", "/admin/second-factor/code/"


def log_in(browser: Client, person: User, leads_to: str = "/admin/") -> Any:
    return browser.post(f"/admin/login/?next={leads_to}", {"username": person.email, "password": make.PASSWORD})


def is_in(browser: Client) -> bool:
    return browser.get("/admin/igny8_auth/user/").status_code == 200


@pytest.fixture
def phone(olga: User) -> Device:
    return give_second_factor(olga)


def test_the_password_alone_opens_no_page_of_the_console(client: Client, olga: User, phone: Device) -> None:
    page = "/admin/billing/payment/?q=x"
    log_in(client, olga)

    led = client.get(page)
    form = client.get(led["Location"]).content.decode()
    posted = client.post("/admin/billing/payment/", {"action": "approve_selected"})
    wrong = client.post(CODE, {"otp": "000000", "next": page})
    right = client.post(CODE, {"otp": phone.code(), "next": page})

    assert led["Location"] == f"{CODE}?next=%2Fadmin%2Fbilling%2Fpayment%2F%3Fq%3Dx"
    assert page in form
    assert posted["Location"] == CODE
    assert "This is not a code of your device now" in wrong.content.decode()
    assert (right.status_code, right["Location"]) == (302, page)
    assert is_in(client)


def test_half_a_login_is_nobody_outside_the_console_either(client: Client, olga: User, phone: Device) -> None:
    log_in(client, olga)

    answer = client.get("/login")

    assert not answer.wsgi_request.user.is_authenticated
    assert client.get("/admin/autocomplete/?term=a").status_code == 302


def test_a_code_of_the_console_was_used_for_every_door(client: Client, olga: User, phone: Device) -> None:
    log_in(client, olga)
    client.post(CODE, {"otp": phone.code()})
    other = Client()
    log_in(other, olga)

    assert "used already" in other.post(CODE, {"otp": phone.code()}).content.decode()
    assert other.post(CODE, {"otp": phone.recovery_codes[0]}).status_code == 302
    assert is_in(other)


def test_who_has_begun_as_somebody_else_begins_anew(client: Client, olga: User, phone: Device) -> None:
    log_in(client, olga)

    assert client.post(CODE, {"leave": "1"})["Location"] == "/admin/login/"
    assert client.get("/admin/")["Location"] == "/admin/login/?next=/admin/"
    assert client.get(CODE)["Location"] == "/admin/login/"


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "/home"])
def test_the_code_leads_to_the_console_alone(client: Client, olga: User, phone: Device, address: str) -> None:
    log_in(client, olga)

    assert client.post(CODE, {"otp": phone.code(), "next": address})["Location"] == "/admin/"


@pytest.mark.usefixtures("throttling")
def test_guesses_at_codes_are_counted_with_those_at_the_api(client: Client, olga: User) -> None:
    phone = give_second_factor(olga)
    log_in(client, olga)

    said = [client.post(CODE, {"otp": "000000"}).content.decode() for _ in range(5)]

    assert ["Too many tries" in page for page in said] == [False] * 4 + [True]
    assert client.post(CODE, {"otp": phone.code()}).status_code == 200


# --- Setting it up ---------------------------------------------------------------------------------------------------


def test_who_must_have_one_sets_it_up_before_anything_else(client: Client, olga: User, settings: Any) -> None:
    settings.OPERATORS_NEED_SECOND_FACTOR = True
    log_in(client, olga)
    page = "/admin/billing/payment/"

    led = client.get(page)["Location"]
    offered = client.get(led).content.decode()
    client.post(led, {"do": "begin"})
    shown = client.get(led)
    secret = shown.context["enrolment"].secret
    wrong = client.post(led, {"do": "enable", "otp": "000000"})
    codes = client.post(led, {"do": "enable", "otp": Device(secret_of(secret), []).code()})

    assert led == f"{FACTOR}?next=%2Fadmin%2Fbilling%2Fpayment%2F"
    assert "Operators need a second factor" in offered
    assert secret in shown.content.decode()
    assert "This is not the code that the app shows now" in wrong.content.decode()
    assert len(codes.context["codes"]) == 10
    assert page in codes.content.decode()
    assert client.get(page).status_code == 200
    assert client.post(FACTOR, {"do": "disable"}, follow=True).context["state"].is_on


def test_where_operators_choose_it_goes_on_and_off(client: Client, olga: User) -> None:
    elsewhere = Client()
    log_in(client, olga)
    log_in(elsewhere, olga)

    client.post(FACTOR, {"do": "begin"})
    secret = client.get(FACTOR).context["enrolment"].secret
    client.post(FACTOR, {"do": "enable", "otp": Device(secret_of(secret), []).code()})
    assert (is_in(client), is_in(elsewhere)) == (True, False)
    renewed = client.post(FACTOR, {"do": "renew"}).context["codes"]
    off = client.post(FACTOR, {"do": "disable"}, follow=True).content.decode()

    assert len(renewed) == 10
    assert "Your second factor is off" in off
    assert not SecondFactor.objects.exists()


# --- Taking it away --------------------------------------------------------------------------------------------------


def take_away(browser: Client, person: User) -> Any:
    address = reverse("admin:igny8_auth_user_reset_factor", args=[person.pk])
    return browser.post(address, {"_form_submitted": "True"}, follow=True)


def test_an_operator_with_the_permission_takes_it_from_who_lost_the_device(client: Client, alice: User) -> None:
    give_second_factor(alice)
    helper = operator_with("igny8_auth.view_user", "igny8_auth.reset_second_factor")
    client.force_login(helper)

    page = take_away(client, alice)

    assert "The second factor is off" in page.content.decode()
    assert Event.objects.get(type="second_factor.reset").actor == helper
    alice.refresh_from_db()
    assert alice.second_factor_since is None


def test_without_the_permission_or_from_a_superuser_nobody_takes_it(client: Client, olga: User, phone: Device) -> None:
    client.force_login(operator_with("igny8_auth.view_user", "igny8_auth.change_user"))
    assert take_away(client, olga).status_code == 403
    client.force_login(operator_with("igny8_auth.view_user", "igny8_auth.reset_second_factor"))

    assert "Only a superuser" in take_away(client, olga).content.decode()
    olga.refresh_from_db()
    assert olga.second_factor_since


# --- Who is it? ------------------------------------------------------------------------------------------------------


@pytest.fixture
def old_login(olga: User, settings: Any) -> Client:
    """Olga's, of ten minutes ago."""
    settings.CONFIRMATION_AGE = timedelta(minutes=5)
    browser = Client()
    with time_machine.travel(timezone.now() - timedelta(minutes=10), tick=False):
        log_in(browser, olga)
    return browser


def fields_of(answer: Any) -> dict[str, str]:
    return {str(name): value for name, value in answer.context["fields"]}


def test_the_page_that_asks_keeps_the_form_and_goes_on_with_it(old_login: Client, bob: User) -> None:
    address = reverse("admin:igny8_auth_user_change", args=[bob.pk])
    form = {"email": "robert@example.com", "first_name": "Robert", "role": bob.role, "is_active": "on"}

    asked = old_login.post(address, {**form, "_continue": "Save"})
    wrong = old_login.post(address, {**fields_of(asked), "confirm_password": "wrong"})
    done = old_login.post(address, {**fields_of(wrong), "confirm_password": make.PASSWORD})

    assert (asked.status_code, fields_of(asked)) == (403, {**form, "_continue": "Save"})
    assert "Is it you?" in asked.content.decode()
    assert "This is not your password" in wrong.content.decode()
    assert (done.status_code, done["Location"]) == (302, address)
    bob.refresh_from_db()
    assert (bob.email, bob.first_name) == ("robert@example.com", "Robert")
    again = old_login.post(address, {**form, "email": "rob@example.com"})
    assert again.status_code == 302


def test_nothing_has_happened_while_it_asks(old_login: Client, bob: User) -> None:
    old_login.post(reverse("admin:igny8_auth_user_change", args=[bob.pk]), {"email": "x@example.com", "role": bob.role})

    bob.refresh_from_db()
    assert bob.email == "bob@example.com"
    assert not Event.objects.filter(type="user.updated").exists()


def test_a_dialog_asks_in_its_place(old_login: Client, alice: User) -> None:
    give_second_factor(alice)
    address = reverse("admin:igny8_auth_user_reset_factor", args=[alice.pk])
    script = {"HTTP_HX_REQUEST": "true"}

    asked = old_login.post(address, {"_form_submitted": "True"}, **script)  # type: ignore[arg-type]
    sent = {**fields_of(asked), "confirm_password": make.PASSWORD}
    done = old_login.post(address, sent, **script)  # type: ignore[arg-type]

    assert asked.status_code == 200
    assert asked.content.decode().startswith('<div id="dialog-form"')
    assert done["HX-Redirect"] == reverse("admin:igny8_auth_user_change", args=[alice.pk])
    alice.refresh_from_db()
    assert alice.second_factor_since is None


def test_who_has_a_device_confirms_with_its_code(olga: User, alice: User, settings: Any) -> None:
    phone = give_second_factor(olga)
    settings.CONFIRMATION_AGE = timedelta(minutes=5)
    browser = Client()
    with time_machine.travel(timezone.now() - timedelta(minutes=10), tick=False):
        log_in(browser, olga)
        browser.post(CODE, {"otp": phone.recovery_codes[0]})
    give_second_factor(alice)
    address = reverse("admin:igny8_auth_user_reset_factor", args=[alice.pk])

    asked = browser.post(address, {"_form_submitted": "True"})
    browser.post(address, {**fields_of(asked), "confirm_otp": phone.code()})

    assert 'name="confirm_otp"' in asked.content.decode()
    alice.refresh_from_db()
    assert alice.second_factor_since is None
