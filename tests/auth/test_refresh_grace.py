"""Two tabs of one browser refresh at once; a thief elsewhere does not profit from it. And a login's last day."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone
from rest_framework.test import APIClient

from igny8_core.auth.models import LoginSession, User
from igny8_core.auth.services.sessions import log_out, open_session
from igny8_core.events.models import Event

pytestmark = pytest.mark.django_db

HERE = {"HTTP_USER_AGENT": "Firefox", "REMOTE_ADDR": "203.0.113.7"}


def refresh(token: str, **device: str) -> Any:
    return APIClient().post("/api/v1/auth/refresh/", {"refresh": token}, format="json", **{**HERE, **device})


def works(token: str) -> bool:
    return APIClient().get("/api/v1/auth/me/", HTTP_AUTHORIZATION=f"Bearer {token}").status_code == 200


def test_two_tabs_that_refresh_at_once_both_stay_logged_in(alice: User) -> None:
    first = open_session(alice)

    one, other = (refresh(first.refresh).json()["data"] for _ in range(2))

    assert works(one["token"])
    assert works(other["token"])
    assert not Event.objects.filter(type="session.token_reused").exists()
    # Both hold the newest token, so the next refresh of either is one of the family.
    after = refresh(other["refresh"])
    assert after.status_code == 200
    assert refresh(one["refresh"]).status_code == 200
    assert LoginSession.objects.filter(ended_at=None).count() == 1


@pytest.mark.parametrize("device", [{"HTTP_USER_AGENT": "curl"}, {"REMOTE_ADDR": "198.51.100.9"}])
def test_the_same_token_from_elsewhere_ends_the_session(alice: User, device: dict[str, str]) -> None:
    first = open_session(alice)
    second = refresh(first.refresh).json()["data"]

    stolen = refresh(first.refresh, **device)

    assert (stolen.status_code, stolen.json()["code"]) == (401, "invalid_token")
    assert not works(second["token"])
    assert refresh(second["refresh"]).status_code == 401
    assert Event.objects.filter(type="session.token_reused").count() == 1


def test_seconds_later_the_old_token_ends_the_session_from_anywhere(alice: User) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        first = open_session(alice)
        second = refresh(first.refresh).json()["data"]
        clock.shift(settings.REFRESH_GRACE + timedelta(seconds=1))

        assert refresh(first.refresh).status_code == 401
        assert not works(second["token"])


def test_only_the_token_just_before_is_forgiven(alice: User) -> None:
    first = open_session(alice)
    second = refresh(first.refresh).json()["data"]
    refresh(second["refresh"])

    assert refresh(first.refresh).status_code == 401
    assert not works(second["token"])


def test_after_logging_out_nothing_is_forgiven(alice: User) -> None:
    first = open_session(alice)
    second = refresh(first.refresh).json()["data"]
    log_out(second["refresh"])

    assert refresh(first.refresh).status_code == 401


def test_a_login_that_is_refreshed_every_day_ends_all_the_same(alice: User, settings: Any) -> None:
    settings.LOGIN_MAX_AGE = timedelta(days=5)
    began = timezone.now().replace(microsecond=0)
    with time_machine.travel(began, tick=False) as clock:
        newest = open_session(alice).refresh
        last = began + settings.LOGIN_MAX_AGE
        while timezone.now() + timedelta(days=1) < last:
            clock.shift(timedelta(days=1))
            newest = refresh(newest).json()["data"]["refresh"]
        access = refresh(newest).json()["data"]["token"]
        assert LoginSession.objects.get().expires_at == last
        clock.move_to(last)
        assert refresh(newest).status_code == 401
        assert not works(access)


def test_no_access_token_outlives_its_login(alice: User) -> None:
    began = datetime.fromisoformat("2026-03-01T00:00:00+00:00")
    with time_machine.travel(began, tick=False) as clock:
        pair = open_session(alice)
        LoginSession.objects.update(created_at=began - settings.LOGIN_MAX_AGE + timedelta(minutes=5))
        access = refresh(pair.refresh).json()["data"]["token"]
        clock.shift(timedelta(minutes=4))
        assert works(access)
        clock.shift(timedelta(minutes=1))
        assert not works(access)
