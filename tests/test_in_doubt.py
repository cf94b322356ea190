"""Where the connection breaks while work is committed, nobody is told that nothing was changed (FLT-03)."""

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
from django.db import OperationalError, connection
from django.test import Client
from rest_framework.test import APIClient

from igny8_core.auth.models import User
from igny8_core.auth.services.sessions import open_session
from igny8_core.common.api.exceptions import BUSY, IN_DOUBT
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner() -> User:
    return make.owner()


@pytest.fixture
def api(owner: User) -> APIClient:
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {open_session(owner).access}")


@contextlib.contextmanager
def commits_break() -> Iterator[None]:
    """PostgreSQL commits, and its answer is lost on the way."""
    real = connection.commit

    def commit() -> None:
        real()
        raise OperationalError("server closed the connection unexpectedly") from psycopg2.OperationalError()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "commit", commit)
        yield


@pytest.fixture
def statements_break(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OperationalError("server closed the connection unexpectedly") from psycopg2.OperationalError()

    monkeypatch.setattr("igny8_core.auth.services.users.events.record", broken)


def test_after_a_commit_whose_answer_was_lost_the_sentence_is_honest(api: APIClient, owner: User) -> None:
    with commits_break():
        answer = api.patch("/api/v1/auth/me/", {"first_name": "Changed"}, format="json")

    owner.refresh_from_db()
    assert owner.first_name == "Changed"
    assert (answer.status_code, answer.json()["code"]) == (503, "temporarily_unavailable")
    assert answer.json()["message"] == IN_DOUBT
    assert "Nothing was changed" not in IN_DOUBT


@pytest.mark.usefixtures("statements_break")
def test_before_the_commit_it_is_certain_that_nothing_was_changed(api: APIClient, owner: User) -> None:
    before = owner.first_name
    answer = api.patch("/api/v1/auth/me/", {"first_name": "Changed"}, format="json")

    owner.refresh_from_db()
    assert owner.first_name == before
    assert answer.json()["message"] == BUSY


def test_a_page_tells_the_same(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise OperationalError("gone") from psycopg2.OperationalError()

    monkeypatch.setattr("igny8_core.web.login.views.check_credentials", broken)
    answer = Client().post("/login", {"email": owner.email, "password": make.PASSWORD})

    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert "Nothing was changed" in answer.content.decode()
