"""The reference of the API in a real browser: its scripts run and its styles count under the page's own policy."""

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.web.browser import browser_page, with_chromium

pytestmark = [pytest.mark.django_db(transaction=True), with_chromium]

# The picture of Redoc's maker, which it would load from there; the policy does not let it.
LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg"


@pytest.mark.stress
def test_the_reference_shows_every_operation_finds_them_by_a_word_and_fits_a_phone(live_server: LiveServer) -> None:
    with browser_page(refused=LOGO) as page:
        page.goto(f"{live_server.url}/api/docs/#tag/billing/operation/confirm_payment")
        expect(page).to_have_title("igny8_core API: reference")
        expect(page.get_by_role("heading", name="Confirm a bank transfer")).to_be_in_viewport()
        assert page.locator(".menu-content").evaluate("menu => getComputedStyle(menu).width") == "300px"
        page.get_by_role("textbox").fill("prorated")
        expect(page.get_by_role("search").locator("li").first).to_contain_text("Upgrade subscription")
        assert width_on_a_phone(page) == 390


def test_the_list_of_codes_fits_a_phone(live_server: LiveServer) -> None:
    with browser_page(refused=LOGO) as page:
        page.goto(f"{live_server.url}/api/docs/codes/")
        expect(page.get_by_role("heading").first).to_be_visible()
        assert width_on_a_phone(page) == 390


def width_on_a_phone(page: Page) -> int:
    page.set_viewport_size({"width": 390, "height": 844})
    width: int = page.evaluate("document.documentElement.scrollWidth")
    return width
