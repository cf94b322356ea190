"""The start page, the frame of all pages, and what people see where there is no page."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.urls import get_resolver
from django.urls.resolvers import URLPattern

import igny8_core.web
from igny8_core.auth.models import Plan, User
from igny8_core.auth.services.sessions import open_session
from tests import make
from tests.web.people import browser_of, says

pytestmark = pytest.mark.django_db


def test_the_start_page_shows_what_can_be_ordered_with_its_figures(client: Client) -> None:
    make.plan("growth", name="Growth & more", price=Decimal("1390.00"), included_credits=12000, max_sites=3)
    make.plan("yen", name="Tokyo", price=Decimal("13900"), currency="JPY", billing_cycle="annual")
    make.plan("secret", name="Internal", is_public=False)
    make.plan("old", name="Retired", is_active=False)

    text = " ".join(client.get("/").content.decode().split())

    for shown in ("Growth &amp; more", "1390.00", "12,000 credits", "3 sites", "5 people", "13900", "a year"):
        assert shown in text
    assert "Internal" not in text
    assert "Retired" not in text


def test_the_start_page_without_plans_says_so(client: Client) -> None:
    assert says(client.get("/"), "No plan is offered at the moment.")


def test_the_start_page_leads_to_the_login_and_to_the_api_s_documentation(client: Client) -> None:
    text = client.get("/").content.decode()

    assert 'href="/login"' in text
    assert 'href="/api/docs/"' in text
    assert "noindex" not in text


def test_the_header_says_whose_account_it_is_and_what_is_left(alice: User) -> None:
    make.credits(alice.account, 12345)  # type: ignore[arg-type]
    browser = browser_of(alice)

    for address in ("/", "/home"):
        text = " ".join(browser.get(address).content.decode().split())
        assert str(alice.account) in text
        assert "12,345 credits" in text
        assert "Sign out" in text
        assert "Sign in" not in text


def test_home_counts_sites_and_people_of_the_own_account_only(alice: User, charlie: User) -> None:
    make.site(alice.account, name="Blog <b>")  # type: ignore[arg-type]
    make.site(charlie.account, name="Not yours")  # type: ignore[arg-type]

    answer = browser_of(alice).get("/home")

    assert says(answer, "Blog <b>")
    assert not says(answer, "Not yours")


def test_an_editor_sees_the_sites_that_they_have_access_to(alice: User, bob: User) -> None:
    make.site(alice.account, name="Not opened")  # type: ignore[arg-type]

    assert not says(browser_of(bob).get("/home"), "Not opened")


def routes() -> list[str]:
    """Addresses of people's pages that take nothing from their address, each without a slash at its end."""
    found: list[str] = []

    def walk(patterns: list[Any], prefix: str) -> None:
        for pattern in patterns:
            route = prefix + str(pattern.pattern)
            if not isinstance(pattern, URLPattern):
                walk(pattern.url_patterns, route)
            elif pattern.callback.__module__.startswith("igny8_core.web.") and "<" not in route and route:
                found.append(route.rstrip("/"))

    walk(get_resolver().url_patterns, "")
    return sorted(set(found))


@pytest.mark.parametrize("route", routes())
def test_a_slash_at_the_end_of_an_address_changes_nothing(route: str, alice: User) -> None:
    for browser in (Client(), browser_of(alice)):
        without, with_one = browser.get(f"/{route}"), browser.get(f"/{route}/")
        assert without.status_code == with_one.status_code != 404
        assert without.get("Location", "").partition("?")[0] == with_one.get("Location", "").partition("?")[0]


@pytest.mark.parametrize("token", ["x", "x/"])
def test_a_slash_at_the_end_of_a_mailed_link_changes_nothing(client: Client, token: str) -> None:
    assert client.get(f"/new-password/{token}").status_code == 400
    assert client.get(f"/verify-email/{token}").status_code == 400
    assert client.get(f"/invitations/{token}").status_code == 404


@pytest.mark.parametrize("address", ["/nothing", "/nothing/", "/account/verify-email", "/login/more", "/pay"])
def test_where_there_is_no_page_people_are_told_so(client: Client, address: str) -> None:
    for debug in (True, False):
        with override_settings(DEBUG=debug):
            answer = client.get(address)
        assert answer.status_code == 404
        assert says(answer, "There is nothing here")
        assert 'href="/"' in answer.content.decode()


def test_programs_get_their_envelope(client: Client) -> None:
    answer = client.get("/api/v1/nothing/")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_what_fails_is_a_page_that_asks_nothing_of_the_database(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("igny8_core.web.landing.views.public_plans", broken)
    client.raise_request_exception = False

    answer = client.get("/")

    assert answer.status_code == 500
    assert says(answer, "This is our fault.")
    assert f'<a href="mailto:{settings.SUPPORT_EMAIL}">{settings.SUPPORT_EMAIL}</a>' in answer.content.decode()


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_a_method_that_a_page_does_not_take_changes_nothing(client: Client, method: str) -> None:
    make.plan()

    assert getattr(client, method)("/").status_code == 405
    assert Plan.objects.count() == 1


def test_no_page_has_a_script_or_a_style_of_its_own(alice: User) -> None:
    loner = make.user()
    pages = [Client().get(f"/{route}") for route in ["", *routes()]]
    pages += [browser_of(alice).get("/home"), browser_of(loner).get("/home"), browser_of(loner).get("/own-account")]

    for answer in pages:
        html = answer.content.decode()
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", html)
        assert not re.findall(r'(?:src|href|action)="https?:', html)


def test_the_api_s_session_is_not_one_of_the_pages(alice: User) -> None:
    browser = Client()
    browser.cookies["session"] = open_session(alice).refresh

    assert browser.get("/home").status_code == 303


def test_the_stylesheet_names_no_side_so_that_right_to_left_mirrors() -> None:
    sheet = Path(igny8_core.web.__file__).parent / "static" / "web" / "site.css"
    sides = r"-(?:left|right)\b|text-align:\s*(?:left|right)|float:|[{;]\s*(?:left|right|width|height):"

    rules = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert re.findall(sides, rules) == []
