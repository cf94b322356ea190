"""Operators in a real browser who have logged in. How they do so is gone through in test_whole_day_in_browser.py."""

from django.conf import settings
from django.test import Client
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from igny8_core.auth.models import User
from tests.web.browser import elsewhere


def signed_in(person: User) -> str:
    """The cookie of a session that has just begun."""
    browser = Client()
    browser.force_login(person)
    return browser.cookies[settings.SESSION_COOKIE_NAME].value


def come_in(page: Page, server: LiveServer, operator: User, address: str) -> None:
    """Open a page of the console as this operator."""
    cookies: list[str] = []
    elsewhere(lambda: cookies.append(signed_in(operator)))
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookies[0], "url": server.url}])
    page.goto(f"{server.url}{address}")
