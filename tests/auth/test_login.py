"""Logging in: equal answers, equal work, one form of an address, no borrowed networks (AUT-11, 12, 15, 17)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import override_settings
from rest_framework.test import APIClient

from igny8_core.auth.models import LoginSession, User
from tests import make

pytestmark = pytest.mark.django_db

LOGIN = "/api/v1/auth/login/"


def log_in(email: Any = "alice@example.com", password: Any = make.PASSWORD, **extra: Any) -> Any:
    return APIClient().post(LOGIN, {"email": email, "password": password}, format="json", **extra)


class CountingHasher(MD5PasswordHasher):
    """Counts how often a password is hashed."""

    hashed = 0

    def encode(self, password: str, salt: str) -> str:
        CountingHasher.hashed += 1
        return super().encode(password, salt)


@pytest.fixture
def people(alice: User) -> None:
    make.user(email="inactive@example.com", is_active=False)
    make.user(email="unusable@example.com", password=None)


STRANGERS = ["nobody@example.com", "inactive@example.com", "unusable@example.com"]


def test_unknown_inactive_and_wrong_get_the_same_answer(people: None) -> None:
    attempts = [("alice@example.com", "Wrong password 1"), *((email, make.PASSWORD) for email in STRANGERS)]

    responses = [log_in(*attempt, HTTP_X_REQUEST_ID="same-request-id") for attempt in attempts]

    assert {response.status_code for response in responses} == {401}
    assert len({response.content for response in responses}) == 1
    assert len({tuple(sorted(response.items())) for response in responses}) == 1
    assert responses[0].json()["code"] == "invalid_credentials"
    assert not LoginSession.objects.exists()


@pytest.mark.parametrize("email", ["alice@example.com", *STRANGERS])
@pytest.mark.parametrize("password", ["Wrong password 1", "x", "x" * 1000])
def test_every_attempt_costs_one_password_hash(people: None, email: str, password: str) -> None:
    with override_settings(PASSWORD_HASHERS=[f"{__name__}.CountingHasher"]):
        CountingHasher.hashed = 0

        assert log_in(email, password).status_code == 401

        assert CountingHasher.hashed == 1


def test_every_refused_attempt_costs_the_same_queries(people: None, django_assert_num_queries: Any) -> None:
    for email in ["alice@example.com", *STRANGERS]:
        with django_assert_num_queries(1):
            log_in(email, "Wrong password 1")


# --- AUT-15: one form of an address -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "email", ["ALICE@EXAMPLE.COM", "Alice@Example.Com", " alice@example.com ", "alice@EXAMPLE.com\n"]
)
def test_case_and_outer_space_do_not_matter(alice: User, email: str) -> None:
    assert log_in(email).status_code == 200


@pytest.mark.parametrize(
    "email",
    [
        "alıce@example.com", "ALİCE@example.com", "аlice@example.com", "ａlice@example.com", "alice@exаmple.com",
        "alice@example.com\0",
        "ali\u200bce@example.com", "alice@example｡com", "alice", "", None, 1, True, [], {}, ["alice@example.com"],
    ],
    ids=ascii,
)  # fmt: skip
def test_a_look_alike_is_400_for_everybody(alice: User, email: Any) -> None:
    assert log_in(email).status_code == 400


@pytest.mark.parametrize("email", ["al.ice@example.com", "alice+tag@example.com", "alice@sub.example.com"])
def test_another_mailbox_is_another_person(alice: User, email: str) -> None:
    assert log_in(email).status_code == 401


def test_the_database_keeps_one_user_per_address(alice: User) -> None:
    from django.db import IntegrityError, transaction

    for email in ("alice@example.com", "ALICE@example.com"):
        with pytest.raises(IntegrityError), transaction.atomic():
            make.user(email=email)


# --- AUT-17: who is counted (test_login_guard.py: what is counted) ------------------------------------------------


@pytest.fixture
def clock(settings: Any) -> Iterator[time_machine.Traveller]:
    settings.THROTTLING = True
    with time_machine.travel(datetime(2026, 1, 15, 12, tzinfo=UTC), tick=False) as traveller:
        yield traveller


CLAIMS = [
    {"HTTP_X_FORWARDED_FOR": "{}"}, {"HTTP_X_FORWARDED_FOR": "{}, 127.0.0.1"},
    {"HTTP_X_FORWARDED_FOR": "127.0.0.1, {}"},
    {"HTTP_X_REAL_IP": "{}"}, {"HTTP_CLIENT_IP": "{}"}, {"HTTP_X_CLIENT_IP": "{}"}, {"HTTP_X_CLUSTER_CLIENT_IP": "{}"},
    {"HTTP_FORWARDED": "for={}"}, {"HTTP_CF_CONNECTING_IP": "{}"}, {"HTTP_TRUE_CLIENT_IP": "{}"},
    {"HTTP_X_ORIGINATING_IP": "{}"}, {"HTTP_X_REMOTE_ADDR": "{}"}, {"HTTP_X_FORWARDED": "{}"}, {"HTTP_VIA": "{}"},
    {"HTTP_X_FORWARDED_HOST": "{}"}, {"HTTP_FASTLY_CLIENT_IP": "{}"}, {"HTTP_X_PROXYUSER_IP": "{}"},
    {"HTTP_FROM": "{}"},
    {"HTTP_X_FORWARDED_FOR": "[2001:db8::{0}]"}, {"HTTP_X_FORWARDED_FOR": "garbage"},
]  # fmt: skip


def test_no_header_makes_a_caller_somebody_else(clock: Any) -> None:
    codes = []
    for number in range(21):
        claim = {name: text.format(f"198.51.100.{number}") for name, text in CLAIMS[number % len(CLAIMS)].items()}
        codes.append(log_in(f"user{number}@example.com", "Password 12345", **claim).status_code)

    assert codes == [401] * 10 + [429] * 11


def test_behind_one_proxy_its_own_entry_is_the_caller(clock: Any, settings: Any) -> None:
    settings.TRUSTED_PROXY_COUNT = 1

    spread = [
        log_in(f"user{number}@example.com", "x", HTTP_X_FORWARDED_FOR=f"1.1.1.1, 198.51.100.{number}").status_code
        for number in range(11)
    ]
    forged = [
        log_in(f"user{number}@example.com", "x", HTTP_X_FORWARDED_FOR=f"1.1.1.{number}, 198.51.100.99").status_code
        for number in range(20, 31)
    ]

    assert spread == [401] * 11
    assert forged == [401] * 10 + [429]


def test_refresh_register_and_confirm_are_limited_too(alice: User, clock: Any) -> None:
    client = APIClient()
    for path, limit in [("auth/refresh/", 60), ("auth/register/", 10)]:
        codes = [client.post(f"/api/v1/{path}", {}, format="json").status_code for _ in range(limit + 1)]
        assert codes == [400] * limit + [429], path
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {log_in().json()['data']['token']}")
    confirm = "/api/v1/billing/admin/payments/confirm/"
    codes = [client.post(confirm, {}, format="json").status_code for _ in range(31)]
    assert codes == [400] * 30 + [429]


@pytest.mark.parametrize("path", ["payment-methods", "admin/payment-methods"])
def test_the_public_list_of_payment_methods_is_limited_per_network(clock: Any, path: str) -> None:
    def codes(address: str, number: int) -> list[int]:
        get = APIClient().get
        return [get(f"/api/v1/billing/{path}/", REMOTE_ADDR=address).status_code for _ in range(number)]

    assert codes("198.51.100.1", 121) == [200] * 120 + [429]
    assert codes("198.51.100.2", 1) == [200]
