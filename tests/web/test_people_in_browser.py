"""People at our pages in a real browser: in and out, a forgotten password, an invitation. Also without any script."""

from typing import Any

import pytest
from django.core import mail
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from igny8_core.auth.models import Role, User
from igny8_core.auth.services import mails as notification_service
from igny8_core.auth.services.invitations import invite
from igny8_core.auth.services.users import request_password_reset
from igny8_core.events.models import Event
from tests import make
from tests.web import mails
from tests.web.browser import browser_page, with_chromium
from tests.web.people import NEW_PASSWORD

pytestmark = [pytest.mark.django_db(transaction=True), with_chromium]


@pytest.fixture
def alice(db: None, live_server: LiveServer, settings: Any, monkeypatch: pytest.MonkeyPatch) -> User:
    settings.BASE_URL = live_server.url
    monkeypatch.setattr(mails, "BASE_URL", live_server.url)
    return make.owner({"name": "Karachi Content"}, email="alice@example.com")


def mailed_link(event_type: str) -> str:
    mail.outbox.clear()
    notification_service.handle(Event.objects.filter(type=event_type).latest("pk"))
    [message] = mails.sent()
    return mails.links_of(message)[0]


def sign_in(page: Page, email: str, password: str) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()


def test_signing_in_and_out_from_the_start_page(alice: User, live_server: LiveServer) -> None:
    with browser_page(answered=(401,)) as page:
        page.goto(live_server.url)
        page.get_by_role("banner").get_by_role("link", name="Sign in").click()
        sign_in(page, alice.email, "not the password")
        expect(page.get_by_role("alert")).to_contain_text("The e-mail address or the password is wrong.")
        expect(page.get_by_label("E-mail address")).to_have_value(alice.email)
        sign_in(page, alice.email, make.PASSWORD)
        expect(page.get_by_role("heading", level=1)).to_have_text("Karachi Content")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("status")).to_have_text("You are signed out.")
        page.go_back()
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_the_keyboard_alone_is_enough(alice: User, live_server: LiveServer) -> None:
    with browser_page() as page:
        page.goto(f"{live_server.url}/login")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.get_by_label("E-mail address")).to_be_focused()
        page.keyboard.type(alice.email)
        page.keyboard.press("Tab")
        page.keyboard.type(make.PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Karachi Content")


def test_a_forgotten_password_is_replaced_with_the_mailed_link(alice: User, live_server: LiveServer) -> None:
    request_password_reset(alice.email)
    link = mailed_link("user.password_reset_requested")

    with browser_page(answered=(410,)) as page:
        page.goto(f"{live_server.url}/login")
        page.get_by_role("link", name="Forgotten your password?").click()
        page.get_by_label("E-mail address").fill(alice.email)
        page.get_by_role("button", name="Mail me a link").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mail")
        page.goto(link)
        page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
        page.get_by_label("New password, once more").fill(NEW_PASSWORD)
        page.get_by_role("button", name="Set the new password").click()
        expect(page.get_by_role("status")).to_contain_text("Your new password is set.")
        sign_in(page, alice.email, NEW_PASSWORD)
        expect(page.get_by_role("heading", level=1)).to_have_text("Karachi Content")
        page.goto(link)
        expect(page.get_by_role("heading", level=1)).to_have_text("This link was used or has run out")


def test_an_invitation_is_accepted_by_a_new_person(alice: User) -> None:
    invite(alice.account, alice, email="nadia@example.com", role=Role.EDITOR, site_ids=[])  # type: ignore[arg-type]
    link = mailed_link("invitation.created")

    with browser_page() as page:
        page.goto(link)
        page.get_by_label("First name").fill("Nadia")
        page.get_by_label("Last name").fill("Noor")
        page.get_by_label("Password", exact=True).fill(NEW_PASSWORD)
        page.get_by_label("Password, once more").fill(NEW_PASSWORD)
        page.get_by_role("button", name="Join the team").click()
        expect(page.get_by_role("status")).to_have_text("Welcome! You are in the team now.")
        expect(page.get_by_role("heading", level=1)).to_have_text("Karachi Content")

    assert User.objects.get(email="nadia@example.com").account == alice.account
