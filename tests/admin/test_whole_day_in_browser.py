"""The whole day of an operator in one session of a real browser, from the second factor to the last search."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from igny8_core.auth.models import Account, User
from igny8_core.business.billing.models import Invoice, Payment, PaymentMethodConfig, WebhookEvent
from igny8_core.business.billing.services.payment_service import PaymentService
from tests import make
from tests.admin.entering import come_in
from tests.admin.test_checking_in_browser import QUEUE, Keys, require_open
from tests.admin.test_webhook_events import message
from tests.auth.devices import give_second_factor
from tests.web.browser import browser_page, elsewhere, with_chromium

pytestmark = [pytest.mark.django_db(transaction=True), with_chromium]


@pytest.mark.stress
def test_an_operator_s_day(live_server: LiveServer, olga: User, defaults: None, settings: Any) -> None:
    settings.OPERATORS_NEED_SECOND_FACTOR = True
    device = give_second_factor(olga)
    waiting = [make.submitted_payment() for _ in range(10)]
    tenant: Any = make.owner({"name": "Lahore Traders"}).account
    late = [make.submitted_payment(make.invoice(tenant)) for _ in range(50)]
    given_up = message()

    with browser_page() as page:
        page.set_viewport_size({"width": 1440, "height": 900})
        log_in(page, live_server, olga)
        page.get_by_label("Code").fill(device.code())
        page.keyboard.press("Enter")
        ten_by_keyboard(page, live_server, waiting)
        elsewhere(lambda: reject_some(late[:5]))
        fifty_at_once(page, live_server)
        written_and_sent(page, live_server)
        wallet_added(page, live_server)
        credits_adjusted(page, live_server, tenant)
        message_replayed(page, live_server, given_up)
        found_by_amount(page, live_server)

    assert Payment.objects.filter(status="succeeded").count() == 10 + 45
    invoice = Invoice.objects.get(purchase_order_number="PO-7")
    assert (invoice.account, invoice.total, invoice.status) == (tenant, 4711, "pending")
    assert PaymentMethodConfig.objects.get(country_code="UG", wallet_id="0712345678").is_enabled
    assert tenant.credit_transactions.latest("pk").amount == 250
    assert WebhookEvent.objects.get(pk=given_up.pk).state == "waiting"


# Sends the form of a dialog as soon as it stands on the page, before anything that is still to be done to it.
SENT_AT_ONCE = """new MutationObserver((_, observer) => {
  const form = document.querySelector("#dialog form");
  if (form) { observer.disconnect(); form.requestSubmit(); }
}).observe(document.querySelector("#modal-content"), {childList: true, subtree: true})"""


def test_a_dialog_is_sent_however_quick_somebody_is(live_server: LiveServer, olga: User) -> None:
    given_up = message()

    with browser_page() as page:
        come_in(page, live_server, olga, f"/admin/billing/webhookevent/{given_up.pk}/change/")
        page.evaluate(SENT_AT_ONCE)
        page.get_by_role("link", name="Process again").press("Enter")
        expect(page.get_by_text("Messages put back into the queue: 1.")).to_be_visible()


def log_in(page: Page, server: LiveServer, operator: User) -> None:
    page.goto(f"{server.url}/admin/login/?next={QUEUE}")
    page.get_by_label("E-mail").fill(operator.email)
    page.get_by_label("Password").fill(make.PASSWORD)
    page.get_by_role("button", name="Log in").click()


def reject_some(payments: list[Payment]) -> None:
    colleague = make.operator(email="omar@example.com")
    for payment in payments:
        PaymentService.reject_manual_payment(payment, "", colleague)


def ten_by_keyboard(page: Page, server: LiveServer, payments: list[Payment]) -> None:
    keys = Keys(page)
    for payment in payments:
        require_open(page, f"{server.url}{QUEUE}{payment.pk}/")
        keys.press("a")
        expect(page.get_by_role("dialog", name=f"reference {payment.manual_reference}?")).to_be_visible()
        keys.press("Enter")
    assert keys.pressed == 20
    # Who opens another page while the next payment is on its way is kept from it.
    page.wait_for_url(lambda url: QUEUE in url and not url.endswith(f"/{payments[-1].pk}/"))


def fifty_at_once(page: Page, server: LiveServer) -> None:
    page.goto(f"{server.url}/admin/billing/payment/?q=Lahore")
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option(label="Approve selected manual payments")
    page.get_by_role("button", name="Go", exact=True).click()
    expect(page.get_by_role("heading", name="Approve 50 payments?")).to_contain_text("4450.00 USD")
    page.get_by_role("button", name="Approve 50 payments").click()
    expect(page.get_by_role("heading", name="45 approved, 5 refused")).to_be_visible()


def written_and_sent(page: Page, server: LiveServer) -> None:
    page.goto(f"{server.url}/admin/billing/invoice/add/")
    page.locator(".select2-selection").click()
    page.locator(".select2-search__field").fill("Lahore")
    page.locator(".select2-results__option", has_text="Lahore Traders").click()
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Description").first.fill("Migration of data")
    page.get_by_label("Unit price in USD").first.fill("4711")
    expect(page.locator("[data-total]")).to_have_text("4711.00 USD")
    page.get_by_label("Purchase order").fill("PO-7")
    page.get_by_role("button", name="Make the invoice").click()
    expect(page.get_by_text("over 4711.00 USD for Lahore Traders")).to_be_visible()


def wallet_added(page: Page, server: LiveServer) -> None:
    page.goto(f"{server.url}/admin/billing/paymentmethodconfig/add/")
    page.get_by_label("Payment method").select_option("local_wallet")
    page.get_by_label("Country").select_option(label="Uganda")
    page.get_by_label("Display name").fill("MTN MoMo")
    page.get_by_label("Wallet number").fill("0712345678")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.locator(".console-preview")).to_contain_text("0712345678")


def credits_adjusted(page: Page, server: LiveServer, account: Account) -> None:
    page.goto(f"{server.url}/admin/igny8_auth/account/{account.pk}/change/")
    page.get_by_role("link", name="Adjust the balance").press("Enter")
    dialog = page.locator("#dialog")
    dialog.get_by_label("Credits").fill("250")
    dialog.get_by_label("Reason").fill("Credits that a lost job had used")
    dialog.get_by_role("button", name="Adjust the balance").press("Enter")
    expect(page.get_by_text("+250 credits. The balance is")).to_be_visible()


def message_replayed(page: Page, server: LiveServer, event: WebhookEvent) -> None:
    page.goto(f"{server.url}/admin/billing/webhookevent/{event.pk}/change/")
    page.get_by_role("link", name="Process again").press("Enter")
    page.locator("#dialog").get_by_role("button", name="Process again").press("Enter")
    expect(page.get_by_text("Messages put back into the queue: 1.")).to_be_visible()


def found_by_amount(page: Page, server: LiveServer) -> None:
    # A list has a search of its own; the key leads to the one over everything all the same.
    page.goto(f"{server.url}/admin/igny8_auth/account/")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Search over everything")).to_be_focused()
    page.keyboard.type("4711")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Invoices")).to_contain_text("Lahore Traders")
