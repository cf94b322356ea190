"""Signing up and paying in Urdu in a real browser: from right to left, in letters that are there, and for everybody."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from igny8_core.auth.models import Account
from tests.web.accessibility import serious_faults
from tests.web.browser import browser_page, with_chromium
from tests.web.signup import PASSWORD

pytestmark = [pytest.mark.django_db(transaction=True), with_chromium]

ORDER, SENT, BANK = "آرڈر کریں اور ادا کریں", "میں نے رقم بھیج دی ہے", "بینک ٹرانسفر"
TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


def reads_well(page: Page) -> None:
    """From right to left, nothing cut off on a telephone, and nothing that keeps people off the page.

    The same pages in the dark are looked at in test_accessibility.py.
    """
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate(TOO_WIDE) is False
    page.set_viewport_size({"width": 1280, "height": 720})
    assert serious_faults(page, ("light",)) == []


@pytest.mark.stress
def test_from_the_start_page_to_a_payment_in_urdu(live_server: LiveServer, settings: Any, defaults: None) -> None:
    settings.BASE_URL = live_server.url
    with browser_page() as page:
        page.goto(live_server.url)
        page.get_by_role("button", name="اردو").click()
        reads_well(page)

        page.goto(f"{live_server.url}/signup?plan=starter")
        page.get_by_label("نام", exact=True).fill("Ada")
        page.get_by_label("خاندانی نام").fill("Khan")
        page.get_by_label("ای میل ایڈریس", exact=True).fill("ada@example.com")
        page.get_by_label("پاس ورڈ", exact=True).fill(PASSWORD)
        page.get_by_label("ملک").select_option("PK")
        page.get_by_label("گلی اور مکان نمبر").fill("1 Mall Road")
        page.get_by_label("شہر").fill("Lahore")
        page.get_by_role("checkbox").check()
        page.get_by_role("radio", name=BANK).check()
        reads_well(page)
        page.get_by_role("button", name=ORDER).click()

        page.wait_for_url("**/pay/**")
        expect(page.get_by_role("heading", name=BANK)).to_be_visible()
        reads_well(page)
        page.get_by_text(SENT).first.click()
        expect(page.get_by_label("ٹرانسفر کا ریفرنس")).to_be_visible()

        page.goto(f"{live_server.url}/account/billing")
        expect(page.get_by_role("heading", name="پلان اور بلنگ")).to_be_visible()
        reads_well(page)

    assert Account.objects.get().language == "ur"
