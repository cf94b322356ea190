"""The pages of an account in a browser: a team is built and changed, settings meet others' changes, the last word."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from igny8_core.auth.models import Account, Industry, LoginSession, Role, User
from igny8_core.auth.services import mails as notification_service
from igny8_core.auth.services.page_sessions import open_page_session
from igny8_core.auth.services.sites import create_site
from igny8_core.common import clock
from igny8_core.events.models import Event
from tests import make
from tests.web import mails
from tests.web.accessibility import serious_faults
from tests.web.browser import Desk, browsers, with_chromium
from tests.web.people import COOKIE, NEW_PASSWORD

pytestmark = [pytest.mark.django_db(transaction=True), with_chromium]


@pytest.fixture
def owner(db: None, live_server: LiveServer, settings: Any, monkeypatch: pytest.MonkeyPatch) -> User:
    settings.BASE_URL = live_server.url
    settings.CONFIRMATION_AGE = timedelta(minutes=5)
    monkeypatch.setattr(mails, "BASE_URL", live_server.url)
    names = {"first_name": "Amina", "last_name": "Shah"}
    return make.owner({"name": "Karachi Content"}, email="amina@example.com", **names)


@pytest.fixture
def admin(owner: User) -> User:
    names = {"first_name": "Bilal", "last_name": "Khan"}
    return make.user(account=owner.account, role=Role.ADMIN, email="bilal@example.com", **names)


def cookie_of(person: User, *, is_fresh: bool = True) -> str:
    """Signed in just now, or so long ago that what is dangerous asks again who it is."""
    value = open_page_session(person, "Chrome on Windows")
    if not is_fresh:
        LoginSession.objects.filter(user=person).update(created_at=clock.now() - timedelta(hours=1))
    return value


def opened(desk: Desk, server: LiveServer, cookie: str, address: str, size: tuple[int, int] = (1440, 900)) -> Page:
    page = desk.opens(size)
    page.context.add_cookies([{"name": COOKIE, "value": cookie, "url": server.url}])
    page.goto(f"{server.url}{address}")
    return page


def row(page: Page, name: str) -> Any:
    return page.locator("table.rows tbody tr").filter(has_text=name)


def said(page: Page) -> Any:
    return page.locator("#toast [role=status]")


def mailed_link(event_type: str) -> str:
    mail.outbox.clear()
    notification_service.handle(Event.objects.filter(type=event_type).latest("pk"))
    [message] = mails.sent()
    return mails.links_of(message)[0]


@pytest.mark.stress
def test_somebody_is_invited_joins_gets_another_role_and_is_removed(
    owner: User, admin: User, live_server: LiveServer
) -> None:
    industry = Industry.objects.create(name="Technology", slug="technology")
    create_site(owner.account, owner, name="Blog", industry=industry)  # type: ignore[arg-type]
    cookies = {person.pk: cookie_of(person) for person in (owner, admin)}

    with browsers(answered=(409,)) as desk:
        page = opened(desk, live_server, cookies[owner.pk], "/account/team", (390, 844))
        expect(row(page, "Bilal Khan")).to_contain_text("Admin")
        expect(row(page, "Amina Shah").get_by_role("button")).to_have_count(0)
        expect(page.get_by_text("Nobody is invited at the moment.")).to_be_visible()
        page.get_by_role("button", name="Invite somebody").click()
        dialog = page.get_by_role("dialog", name="Invite somebody")
        dialog.get_by_label("E-mail address").fill("bilal@example.com")
        dialog.get_by_role("button", name="Send the invitation").click()
        expect(dialog.get_by_role("alert")).to_contain_text("already")
        expect(dialog.get_by_role("button", name="Send the invitation")).to_be_focused()
        assert serious_faults(page) == []
        dialog.get_by_label("E-mail address").fill("nadia@example.com")
        dialog.get_by_label("Admin").check()
        expect(dialog.get_by_label("Blog")).to_be_hidden()
        dialog.get_by_label("Editor").check()
        dialog.get_by_label("Blog").check()
        dialog.get_by_role("button", name="Send the invitation").click()
        expect(said(page)).to_contain_text("nadia@example.com is invited.")
        row(page, "nadia@example.com").get_by_role("button", name="Send again").click()
        expect(said(page)).to_contain_text("The old link no longer works.")

    link = mailed_link("invitation.resent")
    with browsers(answered=(409, 404)) as desk:
        new = desk.opens()
        new.goto(link)
        for label, text in (("First name", "Nadia"), ("Last name", "Noor")):
            new.get_by_label(label).fill(text)
        new.get_by_label("Password", exact=True).fill(NEW_PASSWORD)
        new.get_by_label("Password, once more").fill(NEW_PASSWORD)
        new.get_by_role("button", name="Join the team").click()
        new.get_by_role("link", name="Account", exact=True).click()
        # An editor reads the settings, and may leave; there is no form and nobody to invite.
        expect(new.get_by_text("Owners and admins of your account can change this.")).to_be_visible()
        expect(new.get_by_role("button", name="Leave the account")).to_be_visible()
        new.get_by_role("navigation", name="Account").get_by_role("link", name="Team").click()
        expect(row(new, "Nadia Noor")).to_contain_text("you")
        expect(new.get_by_role("main").get_by_role("button", name="Invite")).to_have_count(0)
        assert serious_faults(new) == []

        pages = [opened(desk, live_server, cookies[person.pk], "/account/team") for person in (owner, admin)]
        # The site of the invitation is open; what is ticked otherwise is saved, and is so when asked again.
        sites = row(pages[0], "Nadia Noor").get_by_role("button", name="Sites")
        for was_open in (True, False):
            sites.click()
            dialog = pages[0].get_by_role("dialog", name="Sites that are open to Nadia Noor")
            expect(dialog.get_by_label("Blog")).to_be_checked(checked=was_open)
            assert not was_open or serious_faults(pages[0]) == []
            dialog.get_by_label("Blog").set_checked(not was_open)
            dialog.get_by_role("button", name="Save").click()
            expect(said(pages[0])).to_have_text("Saved: the sites that are open to Nadia Noor.")
            expect(dialog).to_be_hidden()
            expect(sites).to_be_focused()
        expect(row(pages[0], "Bilal Khan").get_by_role("button", name="Sites")).to_have_count(0)

        for page in pages:
            row(page, "Nadia Noor").get_by_role("button", name="Change role").click()
        mine, theirs = (page.get_by_role("dialog", name="Role of Nadia Noor") for page in pages)
        theirs.get_by_label("Viewer").check()
        theirs.get_by_role("button", name="Save").click()
        expect(said(pages[1])).to_have_text("Nadia Noor has the role Viewer now.")
        mine.get_by_label("Admin").check()
        mine.get_by_role("button", name="Save").click()
        both = "Somebody else gave Nadia Noor the role Viewer meanwhile; you chose Admin."
        expect(mine.get_by_role("alert")).to_contain_text(both)
        mine.get_by_role("button", name="Save").click()
        expect(row(pages[0], "Nadia Noor")).to_contain_text("Admin")
        expect(row(pages[0], "Nadia Noor").get_by_role("button", name="Change role")).to_be_focused()

        for page in pages:
            row(page, "Nadia Noor").get_by_role("button", name="Remove").click()
        pages[1].get_by_role("dialog").get_by_role("button", name="Remove").click()
        expect(said(pages[1])).to_have_text("Nadia Noor is no longer in the team.")
        pages[0].get_by_role("dialog").get_by_role("button", name="Remove").click()
        expect(said(pages[0])).to_contain_text("Somebody else has removed this person")
        expect(row(pages[0], "Nadia Noor")).to_have_count(0)

        pages[0].get_by_role("navigation", name="Account").get_by_role("link", name="Activity").click()
        expect(pages[0].get_by_role("row", name="Left the team").first).to_contain_text("bilal@example.com")
        pages[0].get_by_label("What", exact=True).select_option("Role changed")
        pages[0].get_by_role("button", name="Show", exact=True).click()
        expect(pages[0].locator("table.events tbody tr")).to_have_count(2)
        expect(pages[0].locator("table.events tbody tr").first).to_contain_text("Viewer → Admin")
        assert "type=member.role_changed" in pages[0].url

    assert User.objects.get(email="nadia@example.com").account is None


@pytest.mark.stress
def test_settings_that_two_change_at_once_and_the_last_word_on_an_account(
    owner: User, admin: User, live_server: LiveServer
) -> None:
    cookies = [cookie_of(owner, is_fresh=False), cookie_of(admin)]
    open_page_session(owner, "Safari on iPhone")

    with browsers(answered=(400, 403, 409), loses=True) as desk:
        mine, theirs = (opened(desk, live_server, cookie, "/account/settings") for cookie in cookies)
        for page, city in ((theirs, "Lahore"), (mine, "Multan")):
            page.get_by_label("City").fill(city)
            page.get_by_role("button", name="Save the address").click()
            if page is theirs:
                expect(said(theirs)).to_have_text("Saved.")
        # Both changed the city: both versions are shown, and who the other one is.
        dialog = mine.get_by_role("dialog", name="Changed meanwhile")
        expect(dialog).to_contain_text("bilal@example.com saved these settings")
        expect(dialog.get_by_role("row", name="City")).to_contain_text("Multan")
        expect(dialog.get_by_role("row", name="City")).to_contain_text("Lahore")
        assert serious_faults(mine) == []
        dialog.get_by_role("button", name="Save mine").click()
        expect(said(mine)).to_have_text("Saved.")
        # What only one of them changed needs no question.
        theirs.get_by_label("Name").fill("Karachi & Co")
        theirs.get_by_label("Name").press("Enter")
        expect(theirs.get_by_label("City")).to_have_value("Multan")
        expect(theirs.get_by_role("button", name="Save", exact=True)).to_be_enabled()

        mine.get_by_label("Country").select_option("Germany")
        mine.get_by_label("Tax number").fill("DE000000000")
        mine.get_by_role("button", name="Save the address").click()
        expect(mine.get_by_label("Tax number")).to_have_attribute("aria-invalid", "true")
        expect(mine.get_by_label("Tax number")).to_be_focused()
        mine.get_by_label("Tax number").fill("")
        address = "**/api/v1/account/settings/"
        mine.route(address, lambda route: route.abort())
        mine.get_by_role("button", name="Save the address").click()
        expect(mine.get_by_role("alert")).to_contain_text("the connection is lost")
        mine.unroute(address)
        mine.context.set_offline(True)
        expect(mine.get_by_text("You are offline.")).to_be_visible()
        mine.context.set_offline(False)
        expect(mine.get_by_text("You are offline.")).to_be_hidden()
        mine.get_by_role("button", name="Save the address").click()
        expect(said(mine)).to_have_text("Saved.")

        row(mine, "Safari on iPhone").get_by_role("button", name="Sign out").click()
        expect(row(mine, "Safari on iPhone")).to_have_count(0)

        # Giving it away asks who it is, as the login was long ago; Escape leaves everything as it is.
        mine.get_by_role("button", name="Give it away").click()
        mine.get_by_label("The new owner").select_option(label="Bilal Khan · bilal@example.com")
        mine.get_by_role("button", name="Give it to them").click()
        mine.get_by_role("dialog", name="Is it you?").press("Escape")
        expect(mine.get_by_role("dialog", name="Is it you?")).to_be_hidden()
        mine.get_by_role("button", name="Give it to them").click()
        for password in ("not the password", make.PASSWORD):
            mine.get_by_label("Password").fill(password)
            mine.get_by_role("button", name="Go on").click()
            if password != make.PASSWORD:
                expect(mine.get_by_label("Password")).to_have_attribute("aria-invalid", "true")
        expect(mine.get_by_role("button", name="Leave the account")).to_be_visible()

        theirs.reload()
        theirs.get_by_role("button", name="Delete the account").click()
        dialog = theirs.get_by_role("dialog", name="Delete Karachi & Co?")
        dialog.get_by_role("textbox").fill("Karachi")
        dialog.get_by_role("button", name="Delete it for good").click()
        expect(dialog).to_contain_text("This is not the name of the account.")
        dialog.get_by_role("textbox").fill("Karachi & Co")
        dialog.get_by_role("button", name="Delete it for good").click()
        expect(dialog.get_by_role("status")).to_have_text("The account is deleted. You are logged out.")
        dialog.get_by_role("link", name="To the start page").click()
        expect(theirs).to_have_url(f"{live_server.url}/")
        mine.reload()
        expect(mine.get_by_role("heading", level=1)).to_have_text("Sign in")

    assert Account.objects.get().deleted_at is not None


def test_a_list_that_does_not_come_says_so_and_comes_again(owner: User, live_server: LiveServer) -> None:
    cookie = cookie_of(owner)
    answers = ["lost", "broken", "right"]

    def answer(route: Route) -> None:
        kind = answers.pop(0)
        if kind == "lost":
            route.abort()
        elif kind == "broken":
            route.fulfill(status=502, body="<html>")
        else:
            route.continue_()

    with browsers(answered=(502,), loses=True) as desk:
        page = desk.opens()
        page.route("**/api/v1/account/activity/**", answer)
        page.context.add_cookies([{"name": COOKIE, "value": cookie, "url": live_server.url}])
        page.goto(f"{live_server.url}/account/activity")
        expect(page.get_by_role("alert")).to_contain_text("the connection is lost")
        assert serious_faults(page) == []
        page.evaluate("window.dispatchEvent(new Event('online'))")
        expect(page.get_by_role("alert")).to_contain_text("The server could not answer.")
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_text("Nothing of this kind happened in these days.")).to_be_visible()


def test_the_keyboard_alone_invites_somebody_and_the_page_is_read_in_another_language(
    owner: User, live_server: LiveServer
) -> None:
    cookie = cookie_of(owner)

    with browsers() as desk:
        page = opened(desk, live_server, cookie, "/account/team")
        expect(page.get_by_text("Nobody is invited at the moment.")).to_be_visible()
        opener = page.get_by_role("button", name="Invite somebody")
        dialog = page.get_by_role("dialog", name="Invite somebody")
        for _ in range(40):
            page.keyboard.press("Tab")
            if opener.evaluate("button => button === document.activeElement"):
                break
        page.keyboard.press("Enter")
        expect(dialog.get_by_label("E-mail address")).to_be_focused()
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(opener).to_be_focused()
        page.keyboard.press("Enter")
        expect(dialog.get_by_label("E-mail address")).to_be_focused()
        page.keyboard.type("nadia@example.com")
        page.keyboard.press("Tab")
        expect(dialog.get_by_label("Editor")).to_be_focused()
        page.keyboard.press("ArrowDown")
        expect(dialog.get_by_label("Viewer")).to_be_checked()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(said(page)).to_contain_text("nadia@example.com is invited.")
        expect(dialog).to_be_hidden()
        expect(opener).to_be_focused()
        expect(row(page, "nadia@example.com")).to_contain_text("Viewer")

        # The account's language is that of who chose none; their own goes before it, and each is shown at once.
        page.goto(f"{live_server.url}/account/settings")
        page.get_by_role("combobox", name="Language", exact=True).select_option("Deutsch")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(said(page)).to_have_text("Gespeichert.")
        expect(page.get_by_role("combobox", name="Sprache", exact=True)).to_have_value("de")
        page.get_by_label("Seiten und E-Mails auf").select_option("اردو")
        page.get_by_role("button", name="Ihre Sprache speichern").click()
        expect(page.locator("html[dir=rtl]")).to_have_count(1)
        expect(said(page)).to_have_text("محفوظ ہو گیا۔")

    owner.refresh_from_db()
    assert (owner.language, Account.objects.get().language) == ("ur", "de")
