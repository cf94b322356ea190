"""A day at the console by keyboard, in a real browser: ten payments with two keys each, and fifty at once."""

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from igny8_core.auth.models import Account, User
from igny8_core.business.billing.admin import payment_bulk
from igny8_core.business.billing.models import Payment
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.tasks import decide_selected
from tests import make
from tests.admin.entering import come_in
from tests.web.accessibility import COLOURS_HAVE_CHANGED, faults_now
from tests.web.browser import browser_page, elsewhere, with_chromium

pytestmark = [pytest.mark.django_db(transaction=True), with_chromium]

QUEUE = "/admin/billing/payment/queue/"
DESK, PHONE = (1440, 900), (390, 844)
# Where pictures of the pages are left for people to look at; nowhere, unless it is asked for.
SHOTS = os.environ.get("IGNY8_SHOTS", "")


class Keys:
    """Presses keys and counts them."""

    def __init__(self, page: Page) -> None:
        self.page, self.pressed = page, 0

    def press(self, key: str) -> None:
        self.pressed += 1
        self.page.keyboard.press(key)


def require_open(page: Page, address: str) -> None:
    """The page at this address is there and hears keys."""
    expect(page).to_have_url(address)
    expect(page.locator("[data-check][data-ready]")).to_be_attached()


def require_no_faults(page: Page, name: str) -> None:
    """Nothing serious on the phone in dark and on the desk in light, and nothing runs over the side.

    Light phones and dark desks are looked at where all pages are (test_every_page_in_browser.py).
    """
    # Until its font is there an icon is a word, which is judged as one.
    page.evaluate("document.fonts.ready.then(() => true)")
    for size, theme in ((PHONE, "dark"), (DESK, "light")):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        # The theme keeps its own choice; what follows the system has been asked when the page was loaded.
        page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)", theme == "dark")
        page.evaluate(COLOURS_HAVE_CHANGED)
        assert faults_now(page) == [], (name, size, theme)
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"{name}-{size[0]}-{theme}.png", full_page=size == PHONE)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, size)


def test_ten_payments_take_two_keys_each(live_server: LiveServer, olga: User) -> None:
    account: Any = make.owner({"name": "Al Noor Trading", "billing_country": "PK"}).account
    first = make.submitted_payment(
        make.invoice(account), "BT-20261129", proof=make.proof(account, content=make.png(300, 420)),
        payer_name="Noor Bank", notes="Sent this morning",
    )  # fmt: skip
    payments = [first, *(make.submitted_payment() for _ in range(9))]
    left = make.submitted_payment(reference="LEFT")
    repeated = make.submitted_payment(reference="left")

    with browser_page() as page:
        page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
        come_in(page, live_server, olga, QUEUE)
        expect(page.get_by_role("heading", name="89.00 USD of Al Noor Trading")).to_be_visible()
        expect(page.locator(".check-sheet img")).to_have_css("width", "300px")
        page.keyboard.press("o")
        expect(page.locator(".check-sheet")).to_have_css("height", "300px")
        require_no_faults(page, "check")
        page.get_by_label("Search what waits").press_sequentially("a?j")
        expect(page.get_by_role("dialog")).to_have_count(0)
        page.get_by_label("Search what waits").fill("")
        page.get_by_label("Search what waits").blur()
        keys = Keys(page)
        for payment in payments[:8]:
            require_open(page, f"{live_server.url}{QUEUE}{payment.pk}/")
            keys.press("a")
            named = f"Approve 89.00 USD of {payment.account.name}, reference {payment.manual_reference}?"
            expect(page.get_by_role("dialog", name=named)).to_be_visible()
            keys.press("Enter")
        assert keys.pressed == 16
        require_open(page, f"{live_server.url}{QUEUE}{payments[8].pk}/")
        page.keyboard.press("j")
        require_open(page, f"{live_server.url}{QUEUE}{payments[9].pk}/")
        page.keyboard.press("k")
        require_open(page, f"{live_server.url}{QUEUE}{payments[8].pk}/")
        page.keyboard.press("r")
        expect(page.get_by_role("dialog")).to_contain_text("What the customer reads")
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / "reject.png")
        page.keyboard.press("2")
        page.keyboard.press("Enter")
        require_open(page, f"{live_server.url}{QUEUE}{payments[9].pk}/")
        page.keyboard.press("Shift+?")
        expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        page.keyboard.press("a")
        page.keyboard.press("Enter")
        require_open(page, f"{live_server.url}{QUEUE}{left.pk}/")
        expect(page.get_by_role("heading", name="The same transfer was claimed elsewhere")).to_be_visible()

    statuses = {payment.pk: payment.status for payment in Payment.objects.all()}
    assert [statuses[payment.pk] for payment in payments] == [*["succeeded"] * 8, "failed", "succeeded"]
    assert {statuses[left.pk], statuses[repeated.pk]} == {"pending_approval"}
    assert Payment.objects.get(pk=payments[8].pk).reason_code == "wrong_amount"


@pytest.mark.stress
def test_what_changed_is_told_and_fifty_are_approved_by_a_worker_but_for_one_that_is_unticked(
    live_server: LiveServer, olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payment_bulk, "AT_ONCE", 20)
    monkeypatch.setattr(payment_bulk, "SHOWN_ROWS", 40)
    tenant: Any = make.owner().account
    payments = [make.submitted_payment(make.invoice(tenant)) for _ in range(50)]
    omar = make.operator(email="omar@example.com")

    with browser_page(answered=(409,)) as page:
        come_in(page, live_server, olga, QUEUE)
        require_open(page, f"{live_server.url}{QUEUE}{payments[0].pk}/")
        elsewhere(lambda: Account.objects.filter(pk=tenant.pk).update(name="Renamed"))
        page.keyboard.press("a")
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("Renamed")
        require_no_faults(page, "changed")
        elsewhere(lambda: [PaymentService.reject_manual_payment(each, "", omar) for each in payments[:5]])
        page.goto(f"{live_server.url}/admin/billing/payment/?q=Renamed")
        page.locator("#action-toggle").check()
        page.locator("select[name=action]").select_option(label="Approve selected manual payments")
        page.get_by_role("button", name="Go", exact=True).click()
        expect(page.get_by_role("heading", name="Approve 50 payments?")).to_contain_text("4450.00 USD")
        expect(page.get_by_role("row").nth(1)).to_contain_text("Waits no longer: Failed.")
        require_no_faults(page, "decide")
        page.get_by_role("button", name="Further rows").click()
        page.get_by_role("checkbox", name=f"Decide the payment of {payments[49].invoice.invoice_number}").uncheck()
        expect(page.get_by_role("heading", name="Approve 49 payments?")).to_contain_text("4361.00 USD")
        page.get_by_role("button", name="Earlier rows").click()
        expect(page.get_by_text("Rows 1 to 40 of 50.")).to_be_visible()
        expect(page.get_by_text("1 left out")).to_be_visible()
        expect(page.get_by_role("heading", name="Approve 49 payments?")).to_contain_text("4361.00 USD")
        page.get_by_role("button", name="Approve 49 payments").click()
        expect(page.get_by_role("heading", name="49 payments are being decided")).to_be_visible()
        require_no_faults(page, "deciding")
        elsewhere(decide_selected)
        expect(page.get_by_role("heading", name="44 approved, 5 refused")).to_be_visible()
        require_no_faults(page, "decided")
        with page.expect_download() as saved:
            page.get_by_role("link", name="Save the report (CSV)").click()
        rows = Path(saved.value.path()).read_text().splitlines()
        page.get_by_role("link", name="Back to the list").click()
        expect(page).to_have_url(f"{live_server.url}/admin/billing/payment/?q=Renamed")
        page.goto(live_server.url + QUEUE)
        require_open(page, f"{live_server.url}{QUEUE}{payments[49].pk}/")
        elsewhere(lambda: PaymentService.reject_manual_payment(payments[49], "", omar))
        page.goto(live_server.url + QUEUE)
        expect(page.get_by_role("heading", name="Nothing waits: all payments are decided")).to_be_visible()
        require_no_faults(page, "nothing")

    assert len(rows) == 50
    assert sum(",refused," in row for row in rows) == 5
    assert Payment.objects.filter(status="succeeded").count() == 44
