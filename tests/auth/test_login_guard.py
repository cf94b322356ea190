"""Guessing is slowed down, and whose password it is gets in meanwhile (AUT-10)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.test import Client, override_settings
from rest_framework.test import APIClient

from igny8_core.auth.models import KnownPlace, LoginFailure, User
from igny8_core.auth.services.login_guard import forget_old_tries
from igny8_core.auth.services.mailed_tokens import Purpose, link_token
from igny8_core.common import clock as our_clock
from igny8_core.common.models import RateCounter
from igny8_core.events.deliveries import deliver_due
from igny8_core.events.models import Event
from tests import make

pytestmark = pytest.mark.django_db

LOGIN = "/api/v1/auth/login/"
HOME, CAFE = "192.0.2.1", "192.0.2.200"


@pytest.fixture(autouse=True)
def clock(settings: Any) -> Iterator[Any]:
    settings.THROTTLING = True
    with time_machine.travel(datetime(2026, 1, 15, 12, tzinfo=UTC), tick=False) as traveller:
        yield traveller


def log_in(address: str = HOME, email: str = "alice@example.com", password: str = make.PASSWORD) -> Any:
    return APIClient().post(LOGIN, {"email": email, "password": password}, format="json", REMOTE_ADDR=address)


def attack(number: int, email: str = "alice@example.com") -> list[int]:
    """The answers to wrong passwords, each from a network of its own."""
    return [log_in(f"10.{turn}.0.1", email, "guess guess").status_code for turn in range(number)]


def choose_new_password(token: str) -> None:
    """Chosen from the café."""
    body = {"token": token, "new_password": "a new and long one"}
    answer = APIClient().post("/api/v1/auth/password/reset/confirm/", body, format="json", REMOTE_ADDR=CAFE)
    assert answer.status_code == 200


class CountingHasher(MD5PasswordHasher):
    """Counts how often a password is hashed."""

    hashed = 0

    def encode(self, password: str, salt: str) -> str:
        CountingHasher.hashed += 1
        return super().encode(password, salt)


def test_from_a_known_network_the_right_password_passes_while_others_attack(alice: User) -> None:
    assert log_in().status_code == 200

    codes = attack(20)

    assert codes == [401] * 15 + [429] * 5
    assert log_in().status_code == 200
    assert log_in(CAFE).status_code == 429, "nobody knows this one"


def test_the_operators_login_is_guarded_alike(client: Client, olga: User) -> None:
    form = {"username": olga.email, "password": make.PASSWORD}
    assert client.post("/admin/login/", form, REMOTE_ADDR=HOME).status_code == 302
    attack(16, olga.email)

    assert Client().post("/admin/login/", form, REMOTE_ADDR=CAFE).status_code == 200, "the form again"
    assert Client().post("/admin/login/", form, REMOTE_ADDR=HOME).status_code == 302


def test_a_known_browser_passes_from_any_network(client: Client, alice: User) -> None:
    form = {"email": alice.email, "password": make.PASSWORD}
    assert client.post("/login", form, REMOTE_ADDR=HOME).status_code == 303
    client.post("/logout")
    attack(16)

    assert Client().post("/login", form, REMOTE_ADDR=CAFE).status_code == 429
    assert client.post("/login", form, REMOTE_ADDR=CAFE).status_code == 303


def test_an_attack_from_the_persons_own_network_leaves_their_browser_alone(client: Client, alice: User) -> None:
    form = {"email": alice.email, "password": make.PASSWORD}
    client.post("/login", form, REMOTE_ADDR=HOME)
    client.post("/logout")
    for _ in range(20):
        log_in(HOME, password="guess guess")

    assert log_in(HOME).status_code == 429
    assert client.post("/login", form, REMOTE_ADDR=HOME).status_code == 303


def test_another_persons_browser_is_no_known_one(client: Client, alice: User, charlie: User) -> None:
    client.post("/login", {"email": charlie.email, "password": make.PASSWORD}, REMOTE_ADDR=CAFE)
    client.post("/logout")
    attack(16)

    answer = client.post("/login", {"email": alice.email, "password": make.PASSWORD}, REMOTE_ADDR=CAFE)

    assert answer.status_code == 429


def test_the_wait_grows_with_each_wrong_password_from_one_place(alice: User, clock: Any) -> None:
    waits = []
    for _ in range(12):
        answer = log_in(password="guess guess")
        if answer.status_code == 401:
            answer = log_in(password="guess guess")
        if answer.status_code == 429:
            waits.append(int(answer["Retry-After"]))
            clock.shift(timedelta(seconds=waits[-1]))

    assert waits[:6] == [31, 61, 121, 241, 481, 901]
    assert set(waits[6:]) == {901}
    assert log_in().status_code == 200
    assert not LoginFailure.objects.filter(failures__gt=0).exists()


def test_many_tries_at_once_are_no_more_than_one_after_the_other(alice: User) -> None:
    with override_settings(PASSWORD_HASHERS=[f"{__name__}.CountingHasher"]):
        CountingHasher.hashed = 0
        codes = [log_in(password="guess guess").status_code for _ in range(15)]

    assert codes == [401] * 5 + [429] * 10
    assert CountingHasher.hashed == 5


def test_right_passwords_are_no_wrong_ones_but_not_without_end(alice: User) -> None:
    assert [log_in(CAFE).status_code for _ in range(24)] == [200] * 20 + [429] * 4
    assert not LoginFailure.objects.exists()
    assert log_in(HOME).status_code == 200


def test_spraying_many_addresses_from_one_network_is_limited(alice: User) -> None:
    codes = [log_in(CAFE, f"user{number}@example.com", "Password 12345").status_code for number in range(12)]

    assert codes == [401] * 10 + [429] * 2
    assert log_in(HOME).status_code == 200


@pytest.mark.parametrize("pattern", ["203.0.113.{}", "2001:db8:1:{:x}00::1"], ids=["IPv4 /24", "IPv6 /48"])
def test_a_rented_network_is_one_attacker(alice: User, pattern: str) -> None:
    codes = [
        log_in(pattern.format(number), f"user{number}@example.com", "Password 12345").status_code
        for number in range(1, 45)
    ]

    assert codes == [401] * 40 + [429] * 4


def test_an_hour_of_guessing_reaches_the_password_at_most_sixty_times(alice: User, clock: Any) -> None:
    with override_settings(PASSWORD_HASHERS=[f"{__name__}.CountingHasher"]):
        CountingHasher.hashed = 0
        for minute in range(0, 60, 5):
            for number in range(8):
                log_in(f"10.{minute}.{number}.1", password="guess guess")
            clock.shift(timedelta(minutes=5))

    assert CountingHasher.hashed == 60


def test_an_unknown_address_is_refused_like_a_known_one(alice: User) -> None:
    assert attack(20, "alice@example.com") == attack(20, "nobody@example.com")


def is_beside_the_point(sql: str) -> bool:
    # Hits of limits are written once a second, whoever caused them; people's general limit once in so many requests.
    return sql.startswith(("PREPARE", "SAVE", "RELEASE")) or "igny8_limit_hits" in sql or "+ EXCLUDED.count" in sql


def test_an_unknown_address_costs_the_same_statements(alice: User, statements: list[str]) -> None:
    work = []
    for email in ("alice@example.com", "nobody@example.com"):
        del statements[:]
        attack(17, email)
        work.append([sql.split("WHERE")[0] for sql in statements if not is_beside_the_point(sql)])

    assert work[0] == work[1]


def test_a_completed_reset_lifts_it(alice: User) -> None:
    attack(20)
    for _ in range(9):
        log_in(CAFE, password="guess guess")
    assert log_in(CAFE).status_code == 429
    token = link_token(alice, Purpose.RESET, our_clock.now())

    choose_new_password(token)

    assert log_in(CAFE, password="a new and long one").status_code == 200
    assert log_in("198.51.100.7", password="a new and long one").status_code == 200


def test_the_person_is_told_once_a_day(alice: User, clock: Any) -> None:
    attack(20)
    attack(20, "nobody@example.com")
    clock.shift(timedelta(hours=1))
    attack(20)
    deliver_due()

    (told,) = [sent for sent in mail.outbox if "log in as you" in sent.subject]
    assert told.to == ["alice@example.com"]
    assert "Where you logged in before, you can go on as usual" in " ".join(told.body.split())
    clock.shift(timedelta(days=1))
    attack(20)
    assert Event.objects.filter(type="user.login_attacked", object_id=str(alice.pk)).count() == 2


def test_ten_wrong_ones_from_her_own_network_are_told_too(alice: User, clock: Any) -> None:
    log_in()
    for _ in range(10):
        log_in(password="guess guess")
        clock.shift(timedelta(minutes=16))

    assert Event.objects.filter(type="user.login_attacked").count() == 1


def test_who_is_erased_or_got_a_new_password_has_no_places_left(alice: User) -> None:
    log_in()
    assert KnownPlace.objects.filter(user=alice).count() == 1
    token = link_token(alice, Purpose.RESET, our_clock.now())

    choose_new_password(token)

    attack(16)
    assert log_in(HOME, password="a new and long one").status_code == 429, "a thief may have been here"
    assert log_in(CAFE, password="a new and long one").status_code == 200


def test_old_tries_and_places_are_forgotten(alice: User, clock: Any) -> None:
    log_in()
    log_in(CAFE, password="guess guess")
    clock.shift(timedelta(days=181))

    assert forget_old_tries() == 2


def test_neither_address_nor_network_is_stored(alice: User) -> None:
    log_in()
    attack(17)

    stored = [
        *RateCounter.objects.values_list("key", flat=True),
        *LoginFailure.objects.values_list("mark", flat=True),
        *LoginFailure.objects.values_list("address", flat=True),
        *KnownPlace.objects.values_list("mark", flat=True),
    ]
    assert len(stored) > 20
    assert all(len(text) == 64 for text in stored)
