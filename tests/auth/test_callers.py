"""Who a token belongs to, told by prepared statements: the same as plain queries tell, also on a lost connection."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from igny8_core.auth.callers import caller_of_session, password_fingerprint
from igny8_core.auth.models import LoginSession, User
from igny8_core.auth.selectors import live_session
from igny8_core.auth.services.sessions import open_session
from tests import make
from tests.web.people import browser_of

ME, BALANCE = "/api/v1/auth/me/", "/api/v1/billing/credits/balance/"
INVOICES, EXPIRING = "/api/v1/billing/invoices/", "/api/v1/billing/credits/expiring/"
# Their answers are read with the session.
READ_WITH_SESSION = [ME, BALANCE, INVOICES]


@pytest.fixture(params=[True, False], ids=["prepared", "sent whole"])
def either_way(request: pytest.FixtureRequest, settings: Any) -> None:
    settings.DATABASE_PREPARED_STATEMENTS = request.param


def session_of(user: User) -> LoginSession:
    open_session(user)
    return LoginSession.objects.get(user=user)


def columns(row: models.Model | None) -> dict[str, Any] | None:
    return row and {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def ended(user: User, session: LoginSession) -> None:
    LoginSession.objects.filter(pk=session.pk).update(ended_at=timezone.now())


def suspended(user: User, session: LoginSession) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def new_password(user: User, session: LoginSession) -> None:
    user.set_password("another password of hers")
    user.save(update_fields=["password"])


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("with_person", [True, False])
@pytest.mark.parametrize("kind", [make.owner, make.operator, lambda: make.user(account=make.account(), role="viewer")])
@pytest.mark.django_db
def test_a_caller_is_who_the_plain_query_finds(kind: Any, with_person: bool) -> None:
    user = kind()
    session = session_of(user)

    found, plain = caller_of_session(session.pk, with_person=with_person), live_session(session.pk)

    assert found
    assert plain
    caller, expected = found.caller, plain.user
    told = (caller.pk, caller.account_id, caller.role, caller.is_staff, found.password)
    assert told == (expected.pk, expected.account_id, expected.role, expected.is_staff, expected.password)
    assert columns(caller.user) == columns(expected)
    assert columns(caller.user.account) == columns(expected.account)
    if expected.account and caller.user.account:
        with CaptureQueriesContext(connection) as further:
            assert columns(caller.user.account.plan) == columns(expected.account.plan)
        assert len(further) == 0
    assert password_fingerprint(user.password) == user.get_session_auth_hash()[:32]


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("with_person", [True, False])
@pytest.mark.parametrize("change", [ended, suspended])
@pytest.mark.django_db
def test_nobody_is_found_where_the_plain_query_finds_nobody(alice: User, change: Any, with_person: bool) -> None:
    session = session_of(alice)
    assert caller_of_session(session.pk, with_person=with_person)

    change(alice, session)

    for key in (session.pk, uuid.uuid4(), "", "1", None, [], "0" * 33):
        assert caller_of_session(key, with_person=with_person) is None
        assert live_session(key) is None


@pytest.mark.django_db
def test_a_token_that_was_taken_before_is_refused_once_it_has_run_out(alice: User) -> None:
    token = open_session(alice).access
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert client.get(ME).status_code == 200

    with time_machine.travel(timezone.now() + timedelta(minutes=15, seconds=1)):
        late = client.get(ME)

    assert (late.status_code, late.json()["code"]) == (401, "authentication_failed")


@pytest.mark.django_db
def test_a_view_that_needs_no_person_reads_none(alice: User, statements: list[str]) -> None:
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {open_session(alice).access}")
    client.get(EXPIRING)
    statements.clear()

    assert client.get(EXPIRING).status_code == 200

    assert statements[0] == "EXECUTE igny8_live_session (%s::uuid)"
    assert "igny8_person" not in " ".join(statements)


@pytest.mark.parametrize("address", READ_WITH_SESSION)
@pytest.mark.parametrize("change", [ended, suspended, new_password])
@pytest.mark.django_db
def test_an_answer_that_is_read_with_the_session_ends_with_it(alice: User, address: str, change: Any) -> None:
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {open_session(alice).access}")
    assert client.get(address).status_code == 200

    change(alice, LoginSession.objects.get(user=alice))

    assert (client.get(address).status_code, client.get(address).json()["code"]) == (401, "authentication_failed")


@pytest.mark.parametrize("address", READ_WITH_SESSION)
@pytest.mark.parametrize("kind", [make.owner, make.operator])
@pytest.mark.django_db
def test_the_cookie_of_a_page_gets_the_answer_of_a_token(kind: Any, address: str) -> None:
    user = kind()
    if user.account:
        make.credits(user.account, 7)
        make.invoice(user.account)
    by_token = APIClient(HTTP_AUTHORIZATION=f"Bearer {open_session(user).access}").get(address)
    by_cookie = browser_of(user).get(address)

    assert by_cookie.status_code == by_token.status_code == (200 if user.account or address == ME else 403)
    assert by_cookie.json() == {**by_token.json(), **request_id_of(by_cookie)}


def request_id_of(answer: Any) -> dict[str, str]:
    """What differs between two refusals."""
    return {name: value for name, value in answer.json().items() if name == "request_id"}


@pytest.mark.parametrize("address", [*READ_WITH_SESSION, EXPIRING, "/api/v1/billing/invoices/?page_size=3"])
@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_server_closed_is_opened_anew(address: str) -> None:
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {open_session(make.owner()).access}")
    assert client.get(address).status_code == 200
    backend = connection.connection.info.backend_pid
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [backend])
    other.close()

    assert client.get(address).status_code == 200

    assert connection.connection.info.backend_pid != backend
