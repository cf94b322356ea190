"""The console's first page and its search in a real browser: every width, both themes, and the key /."""

import os
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from igny8_core.auth.models import Subscription, User
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.common import clock
from igny8_core.common.months import months_after
from tests import make
from tests.admin.entering import come_in
from tests.web.accessibility import COLOURS_HAVE_CHANGED, faults_now
from tests.web.browser import browser_page, with_chromium

pytestmark = [pytest.mark.django_db(transaction=True), with_chromium]

WIDTHS = (390, 768, 1024, 1280, 1440, 1920)
# Each theme once; light phones and dark desks are looked at in test_every_page_in_browser.py.
LOOKED_AT = {390: "dark", 1440: "light"}
# What is wider than the box around it: nothing may be, least of all a table.
OVERFLOWING = """() => [...document.querySelectorAll("table, svg, .console-card, .console-hits li")].filter((each) => {
  const box = each.closest("section, a, #content").getBoundingClientRect(), own = each.getBoundingClientRect();
  return own.right > box.right + 1 || own.left < box.left - 1;
}).map((each) => each.closest('section, a').innerText.slice(0, 300))"""
# Where pictures of the pages are left for people to look at; nowhere, unless it is asked for.
SHOTS = os.environ.get("IGNY8_SHOTS", "")


def require_no_faults(page: Page, name: str) -> None:
    """Nothing leaves its box or runs over the side at any width; nothing serious on a dark phone and a light desk."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, width)
        assert page.evaluate(OVERFLOWING) == [], (name, width)
        if theme := LOOKED_AT.get(width):
            page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)", theme == "dark")
            page.evaluate(COLOURS_HAVE_CHANGED)
            if SHOTS:
                page.screenshot(path=Path(SHOTS) / f"{name}-{width}-{theme}.png", full_page=True)
            assert faults_now(page) == [], (name, width, theme)


def history(olga: User) -> None:
    """Half a year of business in two currencies, with something in every list."""
    for ago in range(5, -1, -1):
        clock.stand_at(months_after(clock.now(), -ago))
        for slug, price, currency in (("starter", 89, "USD"), ("growth", 24900, "PKR"))[: 1 + ago % 2]:
            for _ in range(1 + ago % 3):
                order = make.subscription(plan_ordered=make.plan(slug, price=Decimal(price), currency=currency))
                PaymentService.approve_manual_payment(make.submitted_payment(order.invoices.get()), olga)
        clock.stand_at(None)
    make.refund(order.account, "10.00")
    late = Subscription.objects.filter(plan__slug="starter").earliest("pk")
    Subscription.objects.filter(pk=late.pk).update(status="past_due")
    PaymentService.reject_manual_payment(make.submitted_payment(), "The transfer did not arrive")
    make.payment_method(is_sample=True)
    for number in range(3):
        make.submitted_payment(reference=f"BT-2026-{number}")


@pytest.mark.stress
def test_first_page_and_search_fit_every_width_and_are_reached_by_key(live_server: LiveServer, olga: User) -> None:
    history(olga)
    account = make.account(name="Gesellschaft für außerordentlich lange Bezeichnungen und Verwaltung mbH & Co. KG")
    wanted = make.submitted_payment(
        make.invoice(account, line_items=[{"description": "Work", "amount": "4711.50"}]), "R" * 60
    )

    with browser_page() as page:
        come_in(page, live_server, olga, "/admin/")
        expect(page.get_by_role("heading", name="Longest waiting payments")).to_be_visible()
        require_no_faults(page, "dashboard")
        page.set_viewport_size({"width": 1440, "height": 900})
        page.keyboard.press("/")
        expect(page.get_by_role("searchbox", name="Search over everything")).to_be_focused()
        page.keyboard.type("4711,50/")
        page.keyboard.press("Backspace")
        page.keyboard.press("Enter")
        expect(page.get_by_role("region", name="Payments")).to_be_visible()
        require_no_faults(page, "search")
        page.set_viewport_size({"width": 1440, "height": 900})
        page.get_by_role("link", name=f"Payment {wanted.pk} of").click()
        expect(page.get_by_text("4711.50 USD").first).to_be_visible()
        # From a page of its own keys, too; and a field in which somebody types keeps its slash.
        page.goto(f"{live_server.url}/admin/billing/payment/queue/")
        page.keyboard.press("/")
        page.keyboard.type("USD 89")
        page.keyboard.press("Enter")
        expect(page.get_by_role("region", name="Payments")).to_be_visible()
        page.goto(f"{live_server.url}/admin/mail-previews/?kind=payment.approved&language=de")
        mail = page.frame_locator("iframe")
        expect(mail.get_by_role("heading", name="Ihre Zahlung ist eingegangen")).to_be_visible()
        require_no_faults(page, "mail")
        page.set_viewport_size({"width": 390, "height": 844})
        page.get_by_role("link", name="Search over everything").click()
        expect(page.get_by_text("Type the beginning of an invoice")).to_be_visible()
        page.keyboard.press("/")
        expect(page.locator(".console-search-page input")).to_be_focused()
