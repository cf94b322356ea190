"""Invoices and ways to pay them at the console in a real browser: written, looked at, sent, corrected, switched."""

import re

import pytest
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from igny8_core.auth.models import User
from igny8_core.business.billing.models import Invoice, PaymentMethodConfig
from tests import make
from tests.admin.entering import come_in
from tests.admin.test_checking_in_browser import require_no_faults
from tests.web.browser import browser_page, with_chromium

pytestmark = [pytest.mark.django_db(transaction=True), with_chromium]

LOADED = "picture => picture.complete && picture.naturalWidth > 0"


@pytest.mark.stress
def test_an_invoice_is_written_sent_looked_at_and_corrected(live_server: LiveServer, olga: User) -> None:
    make.payment_method()
    make.owner({"name": "Tokyo Trading", "plan": make.plan("yen", currency="JPY", price=13900)})

    with browser_page(answered=(400,)) as page:
        come_in(page, live_server, olga, "/admin/billing/invoice/")
        page.get_by_role("link", name="Add invoice").first.click()
        page.locator(".select2-selection").click()
        page.locator(".select2-search__field").fill("Tokyo")
        page.locator(".select2-results__option", has_text="Tokyo Trading").click()
        require_no_faults(page, "invoice-account")
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_role("heading", name="Invoice for Tokyo Trading")).to_be_visible()
        expect(page.get_by_label("Description").first).to_be_focused()
        page.keyboard.type("Set-up")
        for typed in ("2", "1200"):
            page.keyboard.press("Tab")
            page.keyboard.press("Control+a")
            page.keyboard.type(typed)
        expect(page.locator("[data-total]")).to_have_text("2400 JPY")
        page.get_by_label("Description").nth(1).fill("Hours")
        page.get_by_label("Unit price in JPY").nth(1).fill("139.50")
        expect(page.get_by_text("JPY has 0 decimals, and a quantity is a whole number.")).to_be_visible()
        expect(page.locator("[data-total]")).to_have_text("2400 JPY")
        require_no_faults(page, "invoice-build")
        page.get_by_role("button", name="Make the invoice").click()
        expect(page.get_by_role("alert")).to_contain_text("Line 2: JPY has 0 decimals.")
        page.get_by_label("Unit price in JPY").nth(1).fill("139")
        page.get_by_role("button", name="One more line").click()
        page.get_by_role("button", name="Make the invoice").click()
        expect(page.get_by_text("over 2539 JPY for Tokyo Trading")).to_be_visible()
        picture = page.locator(".console-document")
        picture.scroll_into_view_if_needed()
        page.wait_for_function(f"({LOADED})(document.querySelector('.console-document'))")
        require_no_faults(page, "invoice")
        page.get_by_role("link", name="Correct the buyer").click()
        dialog = page.locator("#dialog")
        dialog.get_by_label("Name").fill("Tokyo Trading K.K.")
        dialog.get_by_label("Country").select_option("JP")
        dialog.get_by_label("What was wrong").fill("Wrong company")
        require_no_faults(page, "invoice-correct")
        dialog.get_by_role("button", name="Correct").click()
        expect(page.get_by_text(re.compile(r"Invoice \S+ corrects"))).to_be_visible()
        page.goto(f"{live_server.url}/admin/billing/invoice/")
        page.locator("#action-toggle").check()
        page.locator("select[name=action]").select_option(label="Send selected invoices to their customers")
        page.get_by_role("button", name="Go", exact=True).click()
        expect(page.get_by_role("heading", name="Send 1 invoice?")).to_contain_text("2539 JPY")
        expect(page.get_by_role("row").nth(1)).to_contain_text("It is void")
        require_no_faults(page, "invoice-decide")
        page.get_by_role("button", name="Send 1 invoice").click()
        expect(page.get_by_role("heading", name="1 sent, 1 refused")).to_be_visible()
        require_no_faults(page, "invoice-decided")
        with page.expect_download() as download:
            page.get_by_role("link", name="Save the report (CSV)").click()
        assert download.value.suggested_filename == "decided-invoices.csv"
        assert "Tokyo Trading,2539,JPY,done,Sent" in download.value.path().read_text()

    new = Invoice.objects.select_related("account", "replaces").get(replaces__isnull=False)
    assert (new.account.name, new.metadata["billing_snapshot"]["name"]) == ("Tokyo Trading", "Tokyo Trading K.K.")
    assert new.replaces
    assert new.replaces.status == "void"


@pytest.mark.stress
def test_a_country_s_wallet_is_added_looked_at_and_switched(live_server: LiveServer, olga: User) -> None:
    make.payment_method(bank_name="ABC Bank", account_number="1234567890")

    with browser_page() as page:
        come_in(page, live_server, olga, "/admin/billing/paymentmethodconfig/add/")
        page.get_by_label("Payment method").select_option("local_wallet")
        expect(page.get_by_label("IBAN")).to_be_hidden()
        page.get_by_label("Country").select_option(label="Pakistan")
        page.get_by_label("Display name").fill("JazzCash")
        page.get_by_label("Instructions").fill("Send exactly {amount} by {due_date}.")
        page.get_by_label("Wallet number").fill("03001234567")
        page.get_by_role("button", name="Save and continue editing").click()
        preview = page.locator(".console-preview")
        expect(preview).to_contain_text("Send exactly 89.00 USD by")
        expect(preview).to_contain_text("03001234567")
        payment_page = page.frame_locator("iframe[title='The payment page of a sample invoice']")
        preview.scroll_into_view_if_needed()
        expect(payment_page.get_by_role("heading", name="Pay by JazzCash")).to_be_visible()
        # With the styles that customers have.
        expect(payment_page.locator(".copied > div").first).to_have_css("display", "grid")
        page.wait_for_function(f"({LOADED})(document.querySelector('.console-document'))")
        require_no_faults(page, "method")
        page.goto(f"{live_server.url}/admin/billing/paymentmethodconfig/")
        require_no_faults(page, "methods")
        page.get_by_role("switch", name="Offer JazzCash in Pakistan").click()
        expect(page.get_by_role("switch", name="Offer JazzCash in Pakistan")).to_have_attribute("aria-checked", "false")
        page.get_by_role("switch", name="Offer Bank Transfer in All other countries").click()
        expect(page.get_by_role("alert").or_(page.locator(".check-alert"))).to_contain_text("the last way to pay in")
        require_no_faults(page, "methods-last")

    wallet = PaymentMethodConfig.objects.get(country_code="PK")
    assert (wallet.wallet_id, wallet.is_enabled) == ("03001234567", False)
    assert PaymentMethodConfig.objects.get(country_code="*").is_enabled
