"""A second factor: enrolling, the login, recovery codes, and the ways it goes off again (AUT-22, AUT-30)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone
from rest_framework.test import APIClient

from igny8_core.auth.errors import OwnSecondFactor, SuperusersOnly
from igny8_core.auth.models import LoginSession, RecoveryCode, SecondFactor, User
from igny8_core.auth.services.mailed_tokens import Purpose, link_token
from igny8_core.auth.services.one_time_codes import require_code
from igny8_core.auth.services.second_factor import begin_enrolment, reset_second_factor
from igny8_core.auth.services.sessions import open_session
from igny8_core.events.models import Event
from tests import make
from tests.admin.samples import operator_with
from tests.auth.devices import Device, give_second_factor, secret_of

pytestmark = pytest.mark.django_db

FACTOR = "/api/v1/auth/second-factor/"
Clients = Callable[[User], APIClient]


def log_in(person: User, password: str = make.PASSWORD, **more: str) -> tuple[int, str]:
    sent = {"email": person.email, "password": password, **more}
    answer = APIClient().post("/api/v1/auth/login/", sent, format="json")
    return answer.status_code, answer.json().get("code", "")


def later(minutes: int) -> Any:
    return time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=False)


@pytest.fixture
def phone(alice: User) -> Device:
    """Alice's, with which she logs in."""
    return give_second_factor(alice)


# --- Enrolling -------------------------------------------------------------------------------------------------------


def test_it_is_on_from_the_first_code_of_the_device_and_recovery_codes_are_shown_once(
    alice: User, as_user: Clients
) -> None:
    User.objects.filter(pk=alice.pk).update(email_verified_at=timezone.now())
    client, elsewhere = as_user(alice), as_user(alice)

    begun = client.post(FACTOR).json()["data"]
    before = client.get(FACTOR).json()["data"]
    device = Device(secret_of(begun["secret"]), [])
    refused = client.post(f"{FACTOR}enable/", {"otp": "000000"}, format="json")
    enabled = client.post(f"{FACTOR}enable/", {"otp": device.code()}, format="json").json()["data"]

    assert before == {"is_on": False, "is_compulsory": False, "recovery_codes_left": 0}
    assert begun["address"].startswith("otpauth://totp/igny8%3Aalice%40example.com?secret=")
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["otp"])
    assert len(set(enabled["recovery_codes"])) == 10
    assert client.get(FACTOR).json()["data"] == {"is_on": True, "is_compulsory": False, "recovery_codes_left": 10}
    assert elsewhere.get(FACTOR).status_code == 401
    Event.objects.get(type="second_factor.enabled")


def test_neither_the_secret_nor_a_recovery_code_can_be_read_in_the_database(alice: User, phone: Device) -> None:
    stored = f"{SecondFactor.objects.values().get()} {list(RecoveryCode.objects.values())}"

    assert phone.secret.hex() not in stored
    assert not any(code in stored or code.replace("-", "") in stored for code in phone.recovery_codes)


def test_who_has_not_confirmed_the_address_locks_its_owner_out_of_nothing(alice: User, as_user: Clients) -> None:
    answer = as_user(alice).post(FACTOR)

    assert (answer.status_code, answer.json()["code"]) == (409, "email_not_verified")
    assert not SecondFactor.objects.exists()


def test_a_new_device_replaces_the_old_one_with_its_first_code(alice: User, phone: Device, as_user: Clients) -> None:
    client = as_user(alice)
    new = Device(secret_of(client.post(FACTOR).json()["data"]["secret"]), [])
    with later(1):
        still = log_in(alice, otp=phone.code())
        client.post(f"{FACTOR}enable/", {"otp": new.code(-1)}, format="json")
        assert (still[0], log_in(alice, otp=phone.code(1))[0], log_in(alice, otp=new.code())[0]) == (200, 401, 200)
    assert log_in(alice, otp=phone.recovery_codes[0])[0] == 401


# --- Logging in ------------------------------------------------------------------------------------------------------


def test_the_password_alone_no_longer_logs_in(alice: User, phone: Device) -> None:
    assert log_in(alice) == (401, "second_factor_required")
    assert log_in(alice, otp="") == (401, "second_factor_required")
    assert log_in(alice, "wrong", otp=phone.code()) == (401, "invalid_credentials")
    for wrong in ("000000", "12345", "1234567", "٣٣٣٣٣٣", "x" * 50, phone.code(-3), phone.code(3)):
        assert log_in(alice, otp=wrong) == (401, "second_factor_wrong")
    assert not LoginSession.objects.exists()
    assert log_in(alice, otp=f" {phone.code()[:3]} {phone.code()[3:]}")[0] == 200


def test_a_code_is_taken_once_and_so_is_every_older_one(alice: User, phone: Device) -> None:
    with later(5):
        assert log_in(alice, otp=phone.code(1))[0] == 200
        assert log_in(alice, otp=phone.code(1)) == (401, "second_factor_wrong")
        assert log_in(alice, otp=phone.code()) == (401, "second_factor_wrong")
    with later(6):
        assert log_in(alice, otp=phone.code())[0] == 200


def test_a_recovery_code_stands_in_for_the_device_once(alice: User, phone: Device) -> None:
    first, second = phone.recovery_codes[:2]

    assert log_in(alice, otp=first.upper().replace("-", " "))[0] == 200
    assert log_in(alice, otp=first) == (401, "second_factor_wrong")
    assert log_in(make.user(), otp=second)[0] == 200  # who has no second factor needs no code
    assert log_in(alice, otp=second)[0] == 200
    assert Event.objects.filter(type="recovery_code.used").latest("pk").data == {"left": 8}


def test_nobody_s_code_opens_somebody_else_s_login(alice: User, charlie: User, phone: Device) -> None:
    other = give_second_factor(charlie)

    assert log_in(alice, otp=other.code())[0] == 401
    assert log_in(alice, otp=other.recovery_codes[0])[0] == 401


@pytest.mark.usefixtures("throttling")
def test_guesses_at_codes_are_counted_over_all_doors_and_a_new_password_begins_anew(alice: User, phone: Device) -> None:
    # The device's first code was one of the five tries of a minute.
    answers = [log_in(alice, otp="000000") for _ in range(5)]

    assert answers == [(401, "second_factor_wrong")] * 4 + [(429, "throttled")]
    assert log_in(alice, otp=phone.code())[0] == 429
    alice.set_password("a lonely engine hums")
    alice.save()
    assert log_in(alice, "a lonely engine hums", otp=phone.code())[0] == 200


def test_codes_work_after_the_server_s_key_was_replaced(alice: User, phone: Device, settings: Any) -> None:
    old, settings.SECRET_KEY = settings.SECRET_KEY, "n" * 60
    assert log_in(alice, otp=phone.code())[0] == 401
    settings.SECRET_KEY_FALLBACKS = [old]
    assert log_in(alice, otp=phone.code())[0] == 200
    # Its secret was sealed anew, so the old key can go.
    settings.SECRET_KEY_FALLBACKS = []
    with later(2):
        assert log_in(alice, otp=phone.code())[0] == 200


# --- Off again -------------------------------------------------------------------------------------------------------


def test_a_new_password_does_not_switch_it_off(alice: User, phone: Device) -> None:
    token = link_token(alice, Purpose.RESET, timezone.now())
    sent = {"token": token, "new_password": "a lonely engine hums"}
    assert APIClient().post("/api/v1/auth/password/reset/confirm/", sent, format="json").status_code == 200

    assert log_in(alice, "a lonely engine hums") == (401, "second_factor_required")
    assert log_in(alice, "a lonely engine hums", otp=phone.code())[0] == 200


def test_a_person_switches_it_off_and_gets_new_recovery_codes(alice: User, phone: Device, as_user: Clients) -> None:
    client = as_user(alice)

    renewed = client.post(f"{FACTOR}recovery-codes/").json()["data"]["recovery_codes"]
    assert log_in(alice, otp=phone.recovery_codes[0])[0] == 401
    assert log_in(alice, otp=renewed[0])[0] == 200
    assert client.delete(FACTOR).status_code == 200
    assert log_in(alice)[0] == 200
    assert not SecondFactor.objects.exists()
    assert not RecoveryCode.objects.exists()
    assert [client.delete(FACTOR).json()["code"], client.post(f"{FACTOR}recovery-codes/").json()["code"]] == [
        "second_factor_off"
    ] * 2


def test_an_operator_takes_it_from_who_lost_everything(alice: User, phone: Device, olga: User) -> None:
    session = open_session(alice)
    reset_second_factor(alice, olga)

    assert log_in(alice)[0] == 200
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {session.access}")
    assert client.get(FACTOR).status_code == 401
    assert Event.objects.get(type="second_factor.reset").actor == olga


def test_operators_take_it_neither_from_themselves_nor_from_more_powerful_ones(olga: User) -> None:
    give_second_factor(olga)
    helper = operator_with("igny8_auth.reset_second_factor")

    with pytest.raises(SuperusersOnly):
        reset_second_factor(olga, helper)
    with pytest.raises(OwnSecondFactor):
        reset_second_factor(olga, olga)


def test_the_command_on_the_server_is_the_last_resort(olga: User) -> None:
    give_second_factor(olga)

    call_command("reset_second_factor", "OLGA@example.com", verbosity=0)

    require_code(User.objects.get(pk=olga.pk), "")
    for wrong, reason in (("nobody@example.com", "No login"), (olga.email, "no second factor")):
        with pytest.raises(CommandError, match=reason):
            call_command("reset_second_factor", wrong, verbosity=0)


# --- Operators who must have one -------------------------------------------------------------------------------------


def test_the_staff_api_serves_operators_who_must_have_one_and_do(olga: User, as_user: Clients, settings: Any) -> None:
    settings.OPERATORS_NEED_SECOND_FACTOR = True
    client = as_user(olga)

    without = client.get("/api/v1/admin/accounts/")
    begun = client.post(FACTOR).json()["data"]
    client.post(f"{FACTOR}enable/", {"otp": Device(secret_of(begun["secret"]), []).code()}, format="json")

    assert (without.status_code, without.json()["code"]) == (403, "second_factor_setup_required")
    assert client.get("/api/v1/admin/accounts/").status_code == 200
    off = client.delete(FACTOR)
    assert (off.status_code, off.json()["code"]) == (409, "second_factor_compulsory")


def test_customers_choose(alice: User, as_user: Clients, settings: Any) -> None:
    settings.OPERATORS_NEED_SECOND_FACTOR = True

    assert as_user(alice).get("/api/v1/billing/invoices/").status_code == 200
    with pytest.raises(Exception, match="Confirm your e-mail"):
        begin_enrolment(alice)
