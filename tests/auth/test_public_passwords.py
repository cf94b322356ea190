"""Passwords that our documents print open nothing in production, and operators keep the password rules (AUT-22)."""

import subprocess
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from igny8_core.auth.models import User
from igny8_core.auth.password_rules import (
    DEMO_OPERATOR,
    PUBLIC_PASSWORDS,
    check_operators_passwords,
    refuse_demo_operator,
)
from igny8_core.auth.services.sessions import open_session
from tests import make, warm_python
from tests.database import process_environment

GOOD = "a lonely engine hums"
SECRET = "k9-Yx2_TqLw7ZrB4vNc8MhJd5FsGp3QaXeUi6OtRyWz1CbVnKm"
PRODUCTION = {
    "DJANGO_DEBUG": "0",
    "DJANGO_SECRET_KEY": SECRET,
    "JWT_SIGNING_KEY": "",
    "DJANGO_ALLOWED_HOSTS": "app.example.com",
    "BASE_URL": "https://app.example.com",
    "EMAIL_URL": "smtp://user:password@mail.example.com:587?tls=1",
    "DEFAULT_FROM_EMAIL": "billing@example.com",
    "THROTTLING": "on",
}


@pytest.fixture
def production(settings: Any) -> None:
    settings.STRICT_PASSWORDS = True


def found() -> list[tuple[str, str]]:
    return [(str(each.id), str(each.msg)) for each in check_operators_passwords(None)]


def create_operator(monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_EMAIL", "olga@example.com")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", password)
    call_command("createsuperuser", "--no-input", verbosity=0)


# --- Operators' passwords --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("password", ["a", "adminpass", "TestPass123!", "testpass123!", "olga@example.com", "1" * 300])
@pytest.mark.usefixtures("production")
@pytest.mark.django_db
def test_no_operator_is_created_with_a_password_against_the_rules(
    monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    with pytest.raises(CommandError, match="password"):
        create_operator(monkeypatch, password)

    assert not User.objects.exists()


@pytest.mark.usefixtures("production")
@pytest.mark.django_db
def test_the_first_operator_is_created_with_a_good_password(monkeypatch: pytest.MonkeyPatch) -> None:
    create_operator(monkeypatch, GOOD)

    operator = User.objects.get()
    assert (operator.email, operator.is_staff, operator.is_superuser) == ("olga@example.com", True, True)
    assert operator.check_password(GOOD)


@pytest.mark.django_db
def test_development_takes_any_password_of_an_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    create_operator(monkeypatch, "a")

    assert User.objects.get().check_password("a")


@pytest.mark.usefixtures("production")
@pytest.mark.django_db
def test_nobody_chooses_a_password_of_our_examples(alice: User) -> None:
    body = {"current_password": make.PASSWORD, "new_password": "TestPass123!"}
    browser = APIClient()
    browser.credentials(HTTP_AUTHORIZATION=f"Bearer {open_session(alice).access}")

    answer = browser.post("/api/v1/auth/password/change/", body, format="json")

    assert answer.status_code == 400
    assert "everybody knows it" in str(answer.json()["errors"]["new_password"])


# --- The deployment check --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("password", PUBLIC_PASSWORDS)
@pytest.mark.usefixtures("production")
@pytest.mark.django_db
def test_the_deployment_check_names_every_operator_with_a_public_password(password: str) -> None:
    make.user(email="staff@example.com", password=password, is_staff=True)
    make.user(email="safe@example.com", password=GOOD, is_staff=True)
    make.user(email="closed@example.com", password=password, is_staff=True, is_active=False)

    assert found() == [("igny8_auth.E001", "The operator staff@example.com has a public password.")]


@pytest.mark.django_db
def test_the_deployment_check_says_nothing_in_development() -> None:
    make.user(email=DEMO_OPERATOR, password="adminpass", is_staff=True)

    assert found() == []


# --- The start -------------------------------------------------------------------------------------------------------


def started() -> subprocess.CompletedProcess[str]:
    """What the web server does when it starts."""
    return warm_python.run("-c", "import igny8_core.wsgi", environment=process_environment(**PRODUCTION))


@pytest.mark.stress
@pytest.mark.django_db(transaction=True)
def test_production_does_not_start_while_the_demo_operator_can_log_in(settings: Any) -> None:
    # The started process knows no hasher for tests.
    settings.PASSWORD_HASHERS = ["igny8_core.auth.hashing.BoundedArgon2"]
    operator = make.user(email=DEMO_OPERATOR, password="adminpass", is_staff=True, is_superuser=True)

    refused = started()

    assert refused.returncode != 0
    sentence = refused.stderr.strip().splitlines()[-1]
    assert DEMO_OPERATOR in sentence
    assert f"manage.py changepassword {DEMO_OPERATOR}" in sentence
    assert "adminpass" not in sentence
    operator.set_password(GOOD)
    operator.save()
    begun = started()
    assert begun.returncode == 0, begun.stderr


@pytest.mark.usefixtures("production")
@pytest.mark.django_db
def test_a_demo_operator_who_is_closed_or_has_another_password_stops_no_start() -> None:
    refuse_demo_operator()
    operator = make.user(email=DEMO_OPERATOR, password=PUBLIC_PASSWORDS[1], is_staff=True)
    with pytest.raises(ImproperlyConfigured):
        refuse_demo_operator()

    User.objects.filter(pk=operator.pk).update(is_active=False)

    refuse_demo_operator()
