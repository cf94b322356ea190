"""The reference of the API in a real browser: its scripts run and its styles count under the page's own policy."""

from typing import Any

import pytest
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from tests.web.browser import browser_page, with_chromium

pytestmark = [pytest.mark.django_db(transaction=True), with_chromium]

# The picture of Redoc's maker, which it would load from there; the policy does not let it.
LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg"


def test_the_reference_shows_every_operation_and_finds_them_by_a_word(live_server: LiveServer) -> None:
    with browser_page(refused=LOGO) as page:
        page.goto(f"{live_server.url}/api/docs/#tag/billing/operation/confirm_payment")
        expect(page).to_have_title("igny8_core API: reference")
        expect(page.get_by_role("heading", name="Confirm a bank transfer")).to_be_in_viewport()
        assert page.locator(".menu-content").evaluate("menu => getComputedStyle(menu).width") == "300px"
        page.get_by_role("textbox").fill("prorated")
        expect(page.get_by_role("search").locator("li").first).to_contain_text("Upgrade subscription")


@pytest.mark.parametrize("path", ["/api/docs/", "/api/docs/codes/"])
def test_a_page_of_the_documentation_fits_a_phone(live_server: LiveServer, path: str) -> None:
    with browser_page(refused=LOGO) as page:
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(live_server.url + path)
        expect(page.get_by_role("heading").first).to_be_visible()
        width: Any = page.evaluate("document.documentElement.scrollWidth")

    assert width == 390
