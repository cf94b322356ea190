"""An operator's session in the console ends when it is not used, and at the latest after some hours."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from igny8_core.auth.models import User
from tests import make

pytestmark = pytest.mark.django_db


def log_in(browser: Client, operator: User) -> None:
    answer = browser.post("/admin/login/", {"username": operator.email, "password": make.PASSWORD})
    assert answer.status_code == 302


def is_logged_in(browser: Client) -> bool:
    return browser.get("/admin/").status_code == 200


def test_a_session_that_nobody_uses_ends(client: Client, olga: User) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        log_in(client, olga)
        for _ in range(3):
            clock.shift(settings.CONSOLE_SESSION_IDLE - timedelta(seconds=1))
            assert is_logged_in(client)
        clock.shift(settings.CONSOLE_SESSION_IDLE)
        assert not is_logged_in(client)


def test_a_session_that_is_used_all_the_time_ends_too(client: Client, olga: User, settings: Any) -> None:
    settings.CONSOLE_SESSION_MAX_AGE = timedelta(hours=3)
    began = timezone.now()
    with time_machine.travel(began, tick=False) as clock:
        log_in(client, olga)
        while timezone.now() + timedelta(minutes=30) < began + settings.CONSOLE_SESSION_MAX_AGE:
            clock.shift(timedelta(minutes=30))
            assert is_logged_in(client)
        clock.move_to(began + settings.CONSOLE_SESSION_MAX_AGE)
        assert not is_logged_in(client)
        log_in(client, olga)
        assert is_logged_in(client)


def test_a_session_of_the_release_before_is_taken_over_and_ends_as_well(client: Client, olga: User) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client.force_login(olga)
        session = client.session
        del session["began_at"], session["used_at"]
        session.save()
        assert is_logged_in(client)
        clock.shift(settings.CONSOLE_SESSION_IDLE)
        assert not is_logged_in(client)
