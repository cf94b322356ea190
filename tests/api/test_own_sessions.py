"""Where somebody is logged in: they see it, and end it; nobody else's."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import RequestFactory
from rest_framework.test import APIClient

from igny8_core.auth.devices import browser_of as browser_named
from igny8_core.auth.models import LoginSession, User
from igny8_core.auth.services.page_sessions import open_page_session
from igny8_core.common import clock
from tests import make
from tests.web.people import browser_of, sign_in

pytestmark = pytest.mark.django_db

SESSIONS = "/api/v1/account/sessions/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
AsUser = Callable[[User], APIClient]


def shown(client: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.get(SESSIONS).json()["data"]
    return rows


def test_each_login_that_is_open_is_listed_with_its_browser_and_its_last_use(
    alice: User, client: Any, as_user: AsUser
) -> None:
    client.defaults["HTTP_USER_AGENT"] = FIREFOX
    sign_in(client, alice.email)
    with time_machine.travel(clock.now() + timedelta(minutes=5), tick=False):
        client.get("/home")
        program = as_user(alice)

        newest, oldest = shown(program)

        assert (newest["browser"], newest["is_current"], newest["used_at"]) == ("", True, None)
        assert (oldest["browser"], oldest["is_current"]) == ("Firefox on Linux", False)
        assert oldest["used_at"] > oldest["created_at"]
    assert shown(client)[-1]["is_current"]


def test_a_login_is_ended_and_opens_nothing_any_more(alice: User, as_user: AsUser) -> None:
    lost, kept = browser_of(alice), as_user(alice)
    session = LoginSession.objects.get(pk=shown(lost)[-1]["id"])

    answer = kept.delete(f"{SESSIONS}{session.pk}/")

    assert (answer.status_code, answer.json()["message"]) == (200, "This login has ended.")
    assert lost.get("/home").status_code == 303
    assert [row["is_current"] for row in shown(kept)] == [True]
    session.refresh_from_db()
    assert session.ended_reason == "ended_by_user"
    assert kept.delete(f"{SESSIONS}{session.pk}/").status_code == 404


def test_all_but_the_present_one_are_ended_at_once(alice: User, bob: User, as_user: AsUser) -> None:
    others, of_bob = [browser_of(alice), as_user(alice)], browser_of(bob)
    present = as_user(alice)

    assert present.post(f"{SESSIONS}end-others/", {}, format="json").status_code == 200

    assert [row["is_current"] for row in shown(present)] == [True]
    assert others[0].get("/home").status_code == 303
    assert others[1].get(SESSIONS).status_code == 401
    assert of_bob.get("/home").status_code == 200


def test_nobody_sees_or_ends_the_logins_of_another(alice: User, bob: User, as_user: AsUser) -> None:
    of_bob = browser_of(bob)
    [session] = LoginSession.objects.filter(user=bob)
    client = as_user(alice)

    assert str(session.pk) not in [row["id"] for row in shown(client)]
    assert client.delete(f"{SESSIONS}{session.pk}/").status_code == 404
    assert of_bob.get("/home").status_code == 200


def test_what_has_run_out_is_not_listed(alice: User, as_user: AsUser, settings: Any) -> None:
    open_page_session(alice)
    with time_machine.travel(clock.now() + settings.PAGE_SESSION_IDLE + timedelta(seconds=1), tick=False):
        assert len(shown(as_user(alice))) == 1


def test_a_person_without_an_account_has_logins_too(as_user: AsUser) -> None:
    assert len(shown(as_user(make.user()))) == 1


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/150.0 Safari/537.36",
            "Chrome on Windows",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/150.0 Safari/537.36 Edg/150.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/150.0 Mobile Safari/537.36", "Chrome on Android"),
        ("python-requests/2.32", ""),
        ("", ""),
    ],
)
def test_browsers_are_called_what_people_call_them(user_agent: str, name: str) -> None:
    assert browser_named(RequestFactory().get("/", headers={"User-Agent": user_agent})) == name
