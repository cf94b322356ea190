"""Passwords that leaked are refused at every door, also with what people put around them (AUT-16)."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from igny8_core.auth.models import User
from igny8_core.auth.password_rules import PUBLIC_PASSWORDS, LeakedPasswordValidator
from tests import make

ROOT = Path(__file__).parents[2]
LEAKED = [
    "password1234", "Password1234!", "P@ssw0rd1234", "passwordpassword", "pass word 1234", "Sunshine2026!!",
    "!!Sunshine2026",
    "qwerty123456", "qwertyqwerty", "QwertyUiop12", "1q2w3e4r5t6y", "aaaaaaaaaaaa", "abcabcabcabc", "123456789012",
    "monkey.dragon", "MonkeyDragon", "Admin-Admin-123", "iloveyou2024", "Welcome12345", "l3tm31n12345", "  password  ",
    "international",
]  # fmt: skip
GOOD = [
    "a lonely engine hums", "correct horse battery staple", "a wholly different phrase", "vierzehn rote Gummistiefel",
    "گربه‌ام شنبه‌ها می‌رقصد", "猫は土曜日にだけ踊りますよね", "kX9$mQ2!vT7z", "dragon lives in my fridge",
]  # fmt: skip


@pytest.mark.parametrize("password", LEAKED)
def test_what_leaked_is_refused_however_it_is_made_longer(password: str) -> None:
    with pytest.raises(ValidationError, match="leaked passwords"):
        LeakedPasswordValidator().validate(password)


@pytest.mark.parametrize("password", GOOD)
def test_what_nobody_else_thinks_of_is_accepted(password: str) -> None:
    validate_password(password, User(email="ada@example.com"))


@pytest.mark.django_db
def test_every_door_asks(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.STRICT_PASSWORDS = True
    person = {"email": "ada@example.com", "first_name": "Ada", "last_name": "Adams"}
    make.plan("free", price=0)
    sent = {**person, "password": "Password1234!", "password_confirm": "Password1234!"}

    answer = APIClient().post("/api/v1/auth/register/", sent, format="json")

    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["password"])
    assert "leaked" in answer.json()["errors"]["password"][0]
    monkeypatch.setenv("DJANGO_SUPERUSER_EMAIL", "olga@example.com")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "Password1234!")
    with pytest.raises(CommandError, match="leaked"):
        call_command("createsuperuser", "--no-input", verbosity=0)
    operator = make.operator()
    monkeypatch.setattr("getpass.getpass", lambda prompt="": "Password1234!")
    with pytest.raises(CommandError, match="Aborting"):
        call_command("changepassword", operator.email, verbosity=0)


def printed() -> set[str]:
    """Every password that a document or an example shows."""
    files = [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("*.py"), ROOT / ".env.example"]
    files += [ROOT / "igny8_core/common/api/example_values.py", ROOT / "igny8_core/common/api/example_operations.py"]
    shown = re.compile(r"""(?i)password(?:_confirm)?["']?\s*(?::|=|\bor\b)\s*["']([^"'<>$]{5,40})["']""")
    return {found for file in files for found in shown.findall(file.read_text(encoding="utf-8"))}


def test_what_our_documents_print_is_known_as_public() -> None:
    found = {text for text in printed() if any(character.isdigit() for character in text) or text.endswith("pass")}

    assert {"TestPass123!", "long and unusual 7"} <= found
    assert found <= set(PUBLIC_PASSWORDS)


@pytest.mark.parametrize("password", [word for word in PUBLIC_PASSWORDS if len(word) >= 12])
def test_passwords_of_our_documents_are_good_enough_outside_production_alone(password: str, settings: Any) -> None:
    settings.STRICT_PASSWORDS = False
    validate_password(password, User(email="ada@example.com"))
    settings.STRICT_PASSWORDS = True

    with pytest.raises(ValidationError, match="example in our documents"):
        validate_password(password, User(email="ada@example.com"))
