"""Passwords: long enough, not common, not one's own name; and no login that everybody knows (AUT-16, AUT-22)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password, make_password
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from igny8_core.auth.models import User
from tests import make

pytestmark = pytest.mark.django_db

CHANGE = "/api/v1/auth/password/change/"


def sign_up(password: Any, **fields: Any) -> Any:
    person = {
        "email": "margarethe.hollerbach@example.com",
        "first_name": "Margarethe",
        "last_name": "Hollerbach",
        "password": password,
        "password_confirm": password,
        **fields,
    }
    return APIClient().post("/api/v1/auth/register/", person, format="json")


@pytest.mark.parametrize(
    "password",
    [
        "TestPass123!", "correct horse battery", "  spaces  around  ", "пароль-пароль-12", "密码密码密码密码密码密码",
        "🔑" * 12,
        "a1b2" * 32, "x7" * 128,
    ],
)  # fmt: skip
def test_any_long_uncommon_password_is_taken(defaults: None, password: str) -> None:
    assert sign_up(password).status_code == 201

    login = {"email": "margarethe.hollerbach@example.com", "password": password}
    assert APIClient().post("/api/v1/auth/login/", login, format="json").status_code == 200
    for other in (password[:-1], password + " ", password.swapcase() + "x"):
        assert APIClient().post("/api/v1/auth/login/", {**login, "password": other}, format="json").status_code == 401


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("short", "at least 12 characters"),
        ("elevenchars", "at least 12 characters"),
        ("qwerty123456", "leaked passwords"),
        ("Password1234", "leaked passwords"),
        ("1q2w3e4r5t6y", "leaked passwords"),
        ("margarethe.hollerbach", "too similar to the e-mail address"),
        ("Margarethe123", "too similar to the"),
        ("hollerbach1234", "too similar to the"),
        ("x7" * 129, "at most 256 characters"),
        ("1" * 11, "at least 12 characters"),
    ],
)
def test_a_weak_password_is_refused_with_a_sentence(defaults: None, password: str, sentence: str) -> None:
    response = sign_up(password)

    assert response.status_code == 400
    assert any(sentence in text for text in response.json()["errors"]["password"]), response.json()
    assert not User.objects.exists()


def test_two_different_passwords_are_refused(defaults: None) -> None:
    response = sign_up("TestPass123!", password_confirm="TestPass123?")

    assert response.status_code == 400
    assert response.json()["errors"] == {"password_confirm": ["The two passwords differ."]}
    assert not User.objects.exists()


@pytest.mark.parametrize("password", [None, 123456789012, True, [], ["TestPass123!"], {}, "", "x" * 1025])
def test_what_is_no_password_is_400(defaults: None, password: Any) -> None:
    assert sign_up(password).status_code == 400
    assert not User.objects.exists()


def test_changing_needs_the_current_password_and_a_good_new_one(
    alice: User, as_user: Callable[[User], APIClient]
) -> None:
    client, before = as_user(alice), alice.password
    wrong = client.post(CHANGE, {"current_password": "wrong", "new_password": "another one 99"}, format="json")
    weak = client.post(CHANGE, {"current_password": make.PASSWORD, "new_password": "short"}, format="json")

    assert (wrong.status_code, list(wrong.json()["errors"])) == (400, ["current_password"])
    assert (weak.status_code, list(weak.json()["errors"])) == (400, ["new_password"])
    assert User.objects.get(pk=alice.pk).password == before
    assert client.get("/api/v1/auth/me/").status_code == 200


def test_no_answer_and_no_log_line_holds_a_password_or_its_hash(
    alice: User, as_user: Callable[[User], APIClient], caplog: pytest.LogCaptureFixture
) -> None:
    client = as_user(alice)
    login = {"email": alice.email, "password": "A wrong secret 77"}
    answers = [
        client.post("/api/v1/auth/login/", login, format="json"),
        client.post(CHANGE, {"current_password": "A wrong secret 77", "new_password": "x"}, format="json"),
        client.get("/api/v1/auth/me/"),
    ]

    assert not any(b"secret 77" in answer.content or alice.password.encode() in answer.content for answer in answers)
    assert "secret 77" not in caplog.text


# One password, written by different keyboards.
COMPOSED, DECOMPOSED = "m\u00e4rchenstunde 12", "ma\u0308rchenstunde 12"
FULL_WIDTH, WIDE_SPACE = "\uff4d\u00e4rchenstunde \uff11\uff12", "m\u00e4rchenstunde\u300012"


@pytest.mark.parametrize("at_signup", [COMPOSED, DECOMPOSED, FULL_WIDTH])
def test_a_password_is_the_same_from_every_keyboard(defaults: None, at_signup: str) -> None:
    assert sign_up(at_signup, password_confirm=DECOMPOSED).status_code == 201

    for typed in (COMPOSED, DECOMPOSED, FULL_WIDTH, WIDE_SPACE):
        login = {"email": "margarethe.hollerbach@example.com", "password": typed}
        assert APIClient().post("/api/v1/auth/login/", login, format="json").status_code == 200, ascii(typed)
    other = {"email": "margarethe.hollerbach@example.com", "password": "marchenstunde 12"}
    assert APIClient().post("/api/v1/auth/login/", other, format="json").status_code == 401


@pytest.mark.parametrize("typed", [DECOMPOSED, FULL_WIDTH])
def test_a_hash_from_before_still_logs_in_and_is_made_anew(alice: User, typed: str) -> None:
    User.objects.filter(pk=alice.pk).update(password=make_password(typed))

    for password, status in [(COMPOSED, 401), (typed, 200), (COMPOSED, 200), (typed, 200)]:
        login = {"email": alice.email, "password": password}
        assert APIClient().post("/api/v1/auth/login/", login, format="json").status_code == status, ascii(password)


def test_a_new_password_is_normalized_whoever_sets_it(alice: User, as_user: Callable[[User], APIClient]) -> None:
    changed = as_user(alice).post(
        CHANGE, {"current_password": make.PASSWORD, "new_password": DECOMPOSED}, format="json"
    )

    assert changed.status_code == 200
    assert check_password(COMPOSED, User.objects.get(pk=alice.pk).password)
    assert User.objects.create_superuser("o@example.com", FULL_WIDTH).check_password(COMPOSED)


@pytest.mark.parametrize("password", ["\uff51werty123456", "\ufdfa", "ma\u0308" * 4])
def test_the_rules_hold_for_the_normalized_password(defaults: None, password: str) -> None:
    assert sign_up(password).status_code == 400
    assert not User.objects.exists()


# --- AUT-22 -------------------------------------------------------------------------------------------------------


def test_the_demo_operator_is_refused_outside_debug(settings: Any) -> None:
    settings.DEBUG = False

    with pytest.raises(CommandError, match="createsuperuser"):
        call_command("ensure_demo_operator")
    assert not User.objects.exists()


def test_the_demo_operator_is_made_once_and_keeps_a_password_set_by_hand(
    settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.DEBUG = True
    call_command("ensure_demo_operator")
    call_command("ensure_demo_operator")
    operator = User.objects.get()
    assert operator.check_password("adminpass")
    assert (operator.is_staff, operator.is_superuser, operator.account_id) == (True, True, None)
    operator.set_password("my own pass phrase")
    operator.save()
    capsys.readouterr()

    call_command("ensure_demo_operator")

    assert User.objects.get().check_password("my own pass phrase")
    assert "adminpass" not in capsys.readouterr().out


def test_the_default_data_bring_no_user(defaults: None) -> None:
    assert not User.objects.exists()
