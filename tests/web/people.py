"""Browsers at people's pages: without a real browser, and with one."""

from django.http import HttpResponse
from django.test import Client
from django.utils.html import escape

from igny8_core.auth.models import User
from igny8_core.auth.services.page_sessions import open_page_session
from tests import make

COOKIE = "session"
NEW_PASSWORD = "a wholly different phrase"


def browser_of(person: User | None = None, **options: bool) -> Client:
    """A browser in which `person` is signed in, or nobody is."""
    browser = Client(**options)
    if person:
        browser.cookies[COOKIE] = open_page_session(person)
    return browser


def sign_in(browser: Client, email: str, password: str = make.PASSWORD, **more: str) -> HttpResponse:
    return browser.post("/login", {"email": email, "password": password, **more})  # type: ignore[return-value]


def is_signed_in(browser: Client) -> bool:
    return browser.get("/home").status_code == 200


def says(response: HttpResponse, text: str) -> bool:
    return str(escape(text)) in " ".join(response.content.decode().split())
