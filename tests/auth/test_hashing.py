"""Passwords are hashed before transactions begin, and a bounded number at once."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from igny8_core.auth import hashing
from igny8_core.auth.errors import PasswordsBusy
from igny8_core.auth.models import Role, User
from igny8_core.auth.services.invitations import invitation_token, invite
from igny8_core.auth.services.mailed_tokens import Purpose, link_token
from igny8_core.auth.services.sessions import open_session
from tests import make

NEW = "long and unusual 7"
LOGIN = "/api/v1/auth/login/"
seen: list[bool] = []


class Noting(MD5PasswordHasher):
    """The tests' hasher, which notes whether it was called inside a transaction."""

    def encode(self, *args: Any, **kwargs: Any) -> str:
        seen.append(connection.in_atomic_block)
        return super().encode(*args, **kwargs)

    def verify(self, *args: Any, **kwargs: Any) -> bool:
        seen.append(connection.in_atomic_block)
        return super().verify(*args, **kwargs)


@pytest.fixture
def noting(settings: Any) -> Iterator[None]:
    settings.PASSWORD_HASHERS = [f"{__name__}.Noting"]
    yield
    seen.clear()


def sent(caller: User | None, path: str, **body: Any) -> int:
    client = APIClient()
    if caller:
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {open_session(caller).access}")
    return int(client.post(f"/api/v1/{path}", body, format="json").status_code)


def console(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def register() -> int:
    make.plan("free", price=0, included_credits=10)
    names = {"first_name": "Ada", "last_name": "Adams"}
    return sent(None, "auth/register/", email="ada@example.com", password=NEW, password_confirm=NEW, **names)


def accept() -> int:
    owner = make.owner()
    assert owner.account
    invitation = invite(owner.account, owner, email="g@example.com", role=Role.VIEWER, site_ids=[])
    seen.clear()
    person = {"password": NEW, "password_confirm": NEW, "first_name": "Greta", "last_name": "Guest"}
    return sent(None, "account/team/invitations/accept/", token=invitation_token(invitation), **person)


def change() -> int:
    return sent(make.owner(), "auth/password/change/", current_password=make.PASSWORD, new_password=NEW)


def reset() -> int:
    token = link_token(make.owner(), Purpose.RESET, timezone.now())
    return sent(None, "auth/password/reset/confirm/", token=token, new_password=NEW)


def transfer() -> int:
    owner = make.owner()
    heir = make.user(account=owner.account, role=Role.ADMIN)
    return sent(owner, "account/transfer-ownership/", user=heir.pk, password=make.PASSWORD)


def delete() -> int:
    return sent(make.owner(), "account/delete/", password=make.PASSWORD)


def log_in() -> int:
    return sent(None, "auth/login/", email=make.owner().email, password=make.PASSWORD)


def log_in_nobody() -> int:
    return 200 if sent(None, "auth/login/", email="nobody@example.com", password=NEW) == 401 else 0


def log_in_to_console() -> int:
    form = {"username": make.operator().email, "password": make.PASSWORD}
    return int(Client().post("/admin/login/?next=/admin/", form).status_code)


def add_in_console() -> int:
    answer = console(make.operator()).post("/admin/igny8_auth/user/add/", {"email": "new@example.com"})
    assert User.objects.get(email="new@example.com").has_usable_password()
    return int(answer.status_code)


def set_in_console() -> int:
    user = make.operator()
    form = {"usable_password": "true", "password1": NEW, "password2": NEW}
    answer = console(make.operator()).post(f"/admin/igny8_auth/user/{user.pk}/password/", form)
    assert User.objects.get(pk=user.pk).check_password(NEW)
    return int(answer.status_code)


def change_own_in_console() -> int:
    form = {"old_password": make.PASSWORD, "new_password1": NEW, "new_password2": NEW}
    return int(console(make.operator()).post("/admin/password_change/", form).status_code)


def command() -> int:
    call_command("ensure_demo_operator", verbosity=0)
    return 200


DOORS = [register, accept, change, reset, transfer, delete, log_in, log_in_nobody]
CONSOLE = [log_in_to_console, add_in_console, set_in_console, change_own_in_console]


@pytest.mark.parametrize("door", [*DOORS, *CONSOLE])
@pytest.mark.usefixtures("noting")
@pytest.mark.django_db(transaction=True)
def test_no_password_is_hashed_or_checked_inside_a_transaction(door: Callable[[], int]) -> None:
    assert door() in {200, 201, 302}

    assert seen
    assert not any(seen)


@pytest.mark.usefixtures("noting")
@pytest.mark.django_db(transaction=True)
def test_the_demo_operator_is_made_outside_transactions(settings: Any) -> None:
    settings.DEBUG = True

    assert command() == 200

    assert seen == [False]


# --- A bounded number at once ----------------------------------------------------------------------------------------


class Slow(MD5PasswordHasher):
    """Counts how many are at work."""

    at_work = highest = 0
    lock = threading.Lock()
    everybody = threading.Event()

    def encode(self, password: str, salt: str) -> str:
        with Slow.lock:
            Slow.at_work += 1
            Slow.highest = max(Slow.highest, Slow.at_work)
        Slow.everybody.wait(0.05)
        with Slow.lock:
            Slow.at_work -= 1
        return super().encode(password, salt)


def test_no_more_than_the_allowed_number_are_hashed_at_once(settings: Any) -> None:
    class Bounded(Slow):
        def encode(self, password: str, salt: str) -> str:
            with hashing.a_turn():
                return super().encode(password, salt)

    Slow.highest = 0
    with ThreadPoolExecutor(12) as pool:
        hashes = list(pool.map(lambda _: Bounded().encode(NEW, "salt"), range(24)))

    assert len(set(hashes)) == 1
    assert 1 <= Slow.highest <= settings.PASSWORD_HASHES_AT_ONCE


@pytest.mark.parametrize("hasher", [hashing.BoundedArgon2, hashing.BoundedPBKDF2])
def test_the_hashers_of_the_site_take_turns_and_make_hashes_as_before(
    hasher: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = hasher.__mro__[1]
    # A hash says what it costs: one that cost something else than Django's would be another text.
    for name, cheap in {"iterations": 1000, "time_cost": 1, "memory_cost": 64}.items():
        if hasattr(plain, name):
            monkeypatch.setattr(plain, name, cheap)
    encoded = hasher().encode(NEW, "salt" * 6)

    assert encoded == plain().encode(NEW, "salt" * 6)
    assert hasher().verify(NEW, encoded)
    assert not hasher().verify("another", encoded)
    assert hashing.turns._value == hashing.turns._initial_value  # type: ignore[attr-defined]


@pytest.fixture
def all_turns_taken(settings: Any) -> Iterator[None]:
    settings.PASSWORD_HASHERS = ["igny8_core.auth.hashing.BoundedArgon2"]
    settings.PASSWORD_HASH_PATIENCE_SECONDS = 0.01
    for _ in range(settings.PASSWORD_HASHES_AT_ONCE):
        hashing.turns.acquire()
    yield
    for _ in range(settings.PASSWORD_HASHES_AT_ONCE):
        hashing.turns.release()


@pytest.mark.usefixtures("all_turns_taken")
@pytest.mark.django_db
def test_who_would_wait_for_long_is_told_to_come_back(api: APIClient) -> None:
    answer = api.post(LOGIN, {"email": "nobody@example.com", "password": NEW}, format="json")

    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "temporarily_unavailable", "5")


@pytest.mark.usefixtures("all_turns_taken")
@pytest.mark.django_db
def test_the_console_says_so_too(client: Client) -> None:
    answer = client.post("/admin/login/?next=/admin/", {"username": "nobody@example.com", "password": NEW})

    assert answer.status_code == 200
    assert "Too many passwords are being checked" in answer.content.decode()


@pytest.mark.parametrize("page", ["igny8_auth/user/add/", "igny8_auth/user/{}/password/", "password_change/"])
@pytest.mark.usefixtures("all_turns_taken")
@pytest.mark.django_db
def test_each_page_of_the_console_that_takes_a_password_says_so(settings: Any, page: str) -> None:
    busy, settings.PASSWORD_HASHERS = settings.PASSWORD_HASHERS, ["django.contrib.auth.hashers.MD5PasswordHasher"]
    browser, user = console(make.operator()), make.operator()
    settings.PASSWORD_HASHERS = [*busy, *settings.PASSWORD_HASHERS]
    names = ("password1", "password2", "new_password1", "new_password2")
    form = {"email": "new@example.com", "usable_password": "true", "old_password": make.PASSWORD}

    answer = browser.post(f"/admin/{page.format(user.pk)}", {**form, **dict.fromkeys(names, NEW)})

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "Too many passwords are being checked" in answer.content.decode()


def test_one_thread_of_a_process_never_waits_for_a_password(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.PASSWORD_HASH_PATIENCE_SECONDS = 120
    monkeypatch.setattr(hashing, "turns", threading.BoundedSemaphore(1))
    monkeypatch.setattr(hashing, "crowd", hashing.crowd)
    settings.PASSWORD_HASHES_AT_ONCE = 1
    hashing.set_threads(4)
    inside, go_on = threading.Event(), threading.Event()

    def hash_slowly() -> None:
        with hashing.a_turn():
            inside.set()
            go_on.wait(60)

    with ThreadPoolExecutor(3) as pool:
        busy = [pool.submit(hash_slowly) for _ in range(3)]
        assert inside.wait(60)
        while hashing.crowd._value:  # until all three hash or wait
            time.sleep(0.01)
        started = time.monotonic()
        with pytest.raises(PasswordsBusy), hashing.a_turn():
            pass
        assert time.monotonic() - started < 30
        go_on.set()
        assert [done.result() for done in busy] == [None] * 3

    with hashing.a_turn():
        pass
