"""Plan, credits and cards in a real browser, against the stand-ins for the gateways: from the click to the money."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Account, Plan, Subscription, User
from igny8_core.auth.services.page_sessions import open_page_session
from igny8_core.auth.services.sessions import open_session
from igny8_core.business.billing.models import AccountPaymentMethod, Invoice
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.subscriptions.plan_change import quote
from igny8_core.common import clock
from tests import make
from tests.snapshots import restored
from tests.web.accessibility import serious_faults
from tests.web.browser import browser_page, elsewhere, with_chromium
from tests.web.people import COOKIE

pytestmark = [pytest.mark.django_db(transaction=True), with_chromium]

# In so long, time not used loses a cent twice and the charged time once, somewhere in each month of 28 to 31 days.
READ_FOR = timedelta(minutes=5, seconds=30)
# Around what has the focus; of a radio button, around its whole choice.
RING = "getComputedStyle(document.activeElement.closest('.choice') ?? document.activeElement).outlineStyle"
OWNER = "owner@lahore.example"
BILLING, PURCHASE = "/account/billing", "/account/credits/purchase"


@pytest.fixture
def site(live_server: LiveServer, settings: Any) -> str:
    settings.BASE_URL = live_server.url
    return live_server.url


@pytest.fixture
def owner(site: str) -> User:
    """The owner of an account in Pakistan whose starter plan runs, where everything is for sale."""
    restored("an account of Pakistan with a running plan", with_a_running_plan)
    return User.objects.get(email=OWNER)


def with_a_running_plan() -> None:
    call_command("seed_defaults", verbosity=0)
    owner = make.owner({"name": "Lahore Words", "billing_country": "PK", "status": "pending_payment"}, email=OWNER)
    assert owner.account
    invoice = make.subscription(owner.account, Plan.objects.get(slug="starter")).invoices.get()
    PaymentService.approve_manual_payment(make.submitted_payment(invoice), make.operator())


@pytest.fixture
def approving(db: None) -> str:
    """The token of an operator who approves."""
    return open_session(make.operator()).access


@pytest.fixture
def cheap_moment(owner: User) -> Iterator[datetime]:
    """The clock stands where a change to Growth costs a cent less than it does after it was read for some minutes."""
    assert owner.account
    account, growth, now = owner.account, Plan.objects.get(slug="growth"), clock.now()
    # In whole minutes from some seconds of the clock there is none.
    moments = (now + timedelta(seconds=seconds) for seconds in range(0, 24 * 60 * 60, 61))
    cheap = next(at for at in moments if quote(account, growth, at).total < quote(account, growth, at + READ_FOR).total)
    clock.stand_at(cheap)
    yield cheap
    clock.stand_at(None)


@pytest.fixture
def cookie(owner: User) -> str:
    return open_page_session(owner)


def opened(page: Page, site: str, cookie: str, address: str) -> Page:
    page.context.add_cookies([{"name": COOKIE, "value": cookie, "url": site}])
    page.goto(f"{site}{address}")
    return page


def test_a_larger_plan_is_previewed_ordered_and_paid_then_a_smaller_one_set_and_taken_back(
    site: str, cheap_moment: datetime, cookie: str
) -> None:
    growth = Plan.objects.get(slug="growth")
    with browser_page(answered=(409,)) as page:
        opened(page, site, cookie, BILLING)
        page.get_by_role("button", name="See what changing to Growth costs").press("Enter")
        dialog = page.get_by_role("dialog", name="Change to Growth")
        expect(dialog).to_contain_text("Due now")
        expect(dialog).to_contain_text("when the invoice is paid")
        shown = dialog.locator("tfoot [data-text=total]").inner_text()
        assert serious_faults(page) == []
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="See what changing to Growth costs")).to_be_focused()

        page.get_by_role("button", name="See what changing to Growth costs").click()
        # Somebody changes the price while the dialog is open: both figures are said, and nothing is ordered.
        page.route("**/subscriptions/upgrade/", costs_less_was_shown)
        dialog.get_by_role("button", name="Order it for").click()
        expect(dialog.get_by_role("alert")).to_contain_text(f"You were shown 0.01 USD; it is {shown} now.")
        page.unroute("**/subscriptions/upgrade/")
        # An operator raises the price: both amounts are said, of today and of each renewal.
        elsewhere(lambda: Plan.objects.filter(pk=growth.pk).update(price=growth.price + 100))
        dialog.get_by_role("button", name=f"Order it for {shown}").click()
        total = dialog.locator("tfoot [data-text=total]")
        expect(total).not_to_have_text(shown)
        said = dialog.get_by_role("alert")
        expect(said).to_contain_text(f"You were shown {shown}; it is {total.inner_text()} now.")
        expect(said).to_contain_text(f"You were shown {growth.price} USD; it is {growth.price + 100} USD now.")
        elsewhere(lambda: Plan.objects.filter(pk=growth.pk).update(price=growth.price))
        page.keyboard.press("Escape")

        # What was shown holds while it is read, though the change costs a cent more by then.
        page.get_by_role("button", name="See what changing to Growth costs").click()
        expect(total).to_have_text(shown)
        clock.stand_at(cheap_moment + READ_FOR)
        dialog.get_by_role("button", name=f"Order it for {shown}").click()
        ordered = page.get_by_role("dialog", name="The change is ordered")
        expect(ordered).to_contain_text(shown)
        ordered.get_by_role("link", name="Pay now").click()
        page.wait_for_url("**/pay/**")
        expect(page.get_by_text(shown).first).to_be_visible()

        page.goto(f"{site}{BILLING}")
        page.get_by_role("button", name="See what changing to Starter").wait_for(state="detached")
        page.get_by_role("button", name="Cancel the plan").click()
        asked = page.get_by_role("dialog", name="Cancel the plan?")
        asked.get_by_role("button", name="Cancel the plan").click()
        expect(page.get_by_text("You canceled this plan.")).to_be_visible()
        page.get_by_role("button", name="Keep the plan").click()
        expect(page.get_by_text("Your plan goes on.")).to_be_visible()
        expect(page.get_by_role("button", name="Cancel the plan")).to_be_visible()
        page.get_by_role("button", name="Cancel the plan").click()
        asked.get_by_role("radio", name="At once").check()
        asked.get_by_role("button", name="Cancel the plan").click()
        page.get_by_role("link", name="Come back: order a plan").click()
        page.wait_for_url("**/plan?plan=starter")

    assert Subscription.objects.get().status == "canceled"
    assert Invoice.objects.latest("pk").status == "void"


@pytest.mark.stress
def test_a_change_is_previewed_ordered_and_the_plan_canceled_by_the_keyboard_alone_in_german(
    site: str, owner: User, cookie: str
) -> None:
    User.objects.filter(pk=owner.pk).update(language="de")
    with browser_page() as page:
        opened(page, site, cookie, BILLING)
        tab_to(page, "[data-preview=growth]")
        page.keyboard.press("Enter")
        dialog = page.locator("dialog#change")
        expect(dialog.locator("tfoot [data-text=total]")).to_have_text(re.compile(r"^\d+,\d\d USD$"))
        tab_to(page, "#change [data-close]")
        page.keyboard.press("Enter")
        expect(page.locator("[data-preview=growth]")).to_be_focused()
        page.keyboard.press("Enter")
        expect(dialog).to_be_visible()
        tab_to(page, "#change [data-agree]")
        page.keyboard.press("Enter")
        expect(page.locator("dialog#ordered")).to_be_visible()
        tab_to(page, "#ordered [data-pay]")
        page.keyboard.press("Escape")
        expect(page.locator("body")).not_to_be_focused()

        tab_to(page, "[data-cancel]")
        page.keyboard.press("Enter")
        tab_to(page, "#cancel [name=when]")
        page.keyboard.press("ArrowDown")
        expect(page.locator("#cancel [value=now]")).to_be_checked()
        page.keyboard.press("ArrowUp")
        tab_to(page, "#cancel .danger")
        page.keyboard.press("Enter")
        expect(page.locator("[data-undo]")).to_be_visible()
        expect(page.locator("body")).not_to_be_focused()

    assert Subscription.objects.get().cancel_at_period_end


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until this has the focus, which has to be seen."""
    for _ in range(60):
        if page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
            assert page.evaluate(RING) != "none"
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} is not reached by the keyboard")


def costs_less_was_shown(route: Any) -> None:
    body = re.sub(r'"expected_total":"[\d.]+"', '"expected_total":"0.01"', route.request.post_data)
    route.continue_(post_data=body)


def test_a_card_is_saved_buys_credits_at_once_and_is_removed(site: str, cookie: str, stripe_page: FakeStripe) -> None:
    with browser_page() as page:
        opened(page, site, cookie, BILLING)
        page.get_by_role("button", name="Add a payment method").click()
        adding = page.get_by_role("dialog", name="Add a payment method")
        adding.get_by_role("radio", name="Credit/Debit Card").check()
        adding.get_by_role("button", name="Add", exact=True).click()
        page.wait_for_url("**/fake/stripe/pay**")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#methods")).to_contain_text("Visa •••• 4242")
        page.get_by_role("button", name="Make Visa •••• 4242 the default").click()
        expect(page.locator("#methods li", has_text="4242")).to_contain_text("Default")

        page.locator("#credits").get_by_role("link", name="Buy credits").click()
        page.get_by_role("radio", name=re.compile("Starter")).check()
        expect(page.get_by_role("radio", name=re.compile("Visa"))).to_be_checked()
        page.get_by_role("button", name="Buy the credits").click()
        expect(page.get_by_role("heading", name=re.compile("credits were added"))).to_be_visible()
        page.get_by_role("link", name=re.compile("Invoice INV-")).click()
        expect(page.get_by_text("Succeeded")).to_be_visible()

        page.goto(f"{site}{BILLING}")
        page.get_by_role("button", name="Remove Visa •••• 4242").click()
        page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        expect(page.locator("#methods")).not_to_contain_text("4242")

    assert stripe_page.charges_count() == 1
    assert not AccountPaymentMethod.objects.filter(card_last4="4242").exists()


def test_credits_by_a_card_that_is_entered_after_one_that_is_declined(
    site: str, cookie: str, stripe_page: FakeStripe
) -> None:
    with browser_page() as page:
        opened(page, site, cookie, PURCHASE)
        page.get_by_role("radio", name="Credit/Debit Card").check()
        page.get_by_role("button", name="Buy the credits").click()
        page.wait_for_url("**/fake/stripe/pay**")
        page.get_by_label("Declined by the bank").check()
        page.get_by_role("button", name="Pay").click()
        expect(page.get_by_role("alert")).to_be_visible()
        page.get_by_label("Visa that works").check()
        page.get_by_role("button", name="Pay").click()
        expect(page.get_by_role("heading", name=re.compile("credits were added"))).to_be_visible()

    assert stripe_page.charges_count() == 1


@pytest.mark.stress
def test_credits_by_paypal_that_is_left_and_then_approved(
    site: str, cookie: str, stripe_page: FakeStripe, paypal: FakePayPal
) -> None:
    with browser_page() as page:
        opened(page, site, cookie, PURCHASE)
        before = page.locator(".headline .quiet").inner_text()
        page.get_by_role("radio", name=re.compile("PayPal")).check()
        page.get_by_role("button", name="Buy the credits").click()
        page.wait_for_url("**/checkoutnow?token=**")
        page.get_by_role("button", name="Cancel").click()
        page.wait_for_url(f"**{PURCHASE}/*")
        expect(page.get_by_role("heading", name="Pay for your credits")).to_be_visible()
        expect(page.get_by_role("alert")).to_contain_text("You came back without paying. Nothing was bought")
        expect(page.get_by_role("radio", name=re.compile("PayPal"))).to_be_checked()
        assert serious_faults(page) == []
        assert len(api(page, site, "billing/invoices/?status=pending")["data"]) == 1
        page.get_by_role("button", name="Pay", exact=True).click()
        page.wait_for_url("**/checkoutnow?token=**")
        page.get_by_role("button", name="Approve").click()
        page.wait_for_url(f"**{PURCHASE}/*")
        expect(page.get_by_role("heading", name=re.compile("credits were added"))).to_be_visible()
        page.get_by_role("link", name=re.compile("Invoice INV-")).click()
        expect(page.get_by_text("Succeeded")).to_be_visible()
        page.goto(f"{site}{PURCHASE}")
        assert page.locator(".headline .quiet").inner_text() != before

    assert len(paypal.captures) == 1


@pytest.mark.stress
def test_credits_by_transfer_on_a_phone_and_their_arrival_without_a_reload(
    site: str, cookie: str, approving: str
) -> None:
    with browser_page(loses=True) as page:
        page.set_viewport_size({"width": 390, "height": 844})
        opened(page, site, cookie, PURCHASE)
        page.get_by_role("radio", name=re.compile("Bank Transfer")).check()
        page.route("**/credits/purchase/", lambda route: route.abort())
        page.get_by_role("button", name="Buy the credits").click()
        expect(page.get_by_role("alert")).to_contain_text("the connection is lost")
        page.unroute("**/credits/purchase/")
        page.get_by_role("button", name="Buy the credits").click()
        page.wait_for_url("**/pay/**")
        [invoice] = api(page, site, "billing/invoices/?status=pending")["data"]
        page.goto(f"{site}{PURCHASE}/{invoice['id']}")
        expect(page.get_by_role("heading", name="Pay for your credits")).to_be_visible()
        csrf = page.locator("[name=csrfmiddlewaretoken]").first.input_value()
        said = {
            "invoice_id": invoice["id"],
            "payment_method": "bank_transfer",
            "amount": invoice["total"],
            "manual_reference": "BT-77",
        }
        headers = {"X-CSRFToken": csrf, "Referer": site}
        answer = page.request.post(f"{site}/api/v1/billing/admin/payments/confirm/", data=said, headers=headers)
        payment = answer.json()["data"]["payment_id"]
        expect(page.get_by_role("heading", name="Your payment is being checked")).to_be_visible()
        approval = {"Authorization": f"Bearer {approving}"}
        page.request.post(
            f"{site}/api/v1/billing/admin/payments/{payment}/approve/", data={"admin_notes": "found"}, headers=approval
        )
        expect(page.get_by_role("heading", name=re.compile("credits were added"))).to_be_visible()

    assert Account.objects.get(name="Lahore Words").credits > 1000


def api(page: Page, site: str, path: str) -> Any:
    return page.request.get(f"{site}/api/v1/{path}").json()


def test_invoices_are_found_and_opened_in_a_dialog_with_the_keyboard(site: str, cookie: str, owner: User) -> None:
    assert owner.account
    other = make.invoice(owner.account)
    with browser_page(loses=True) as page:
        opened(page, site, cookie, "/account/invoices")
        page.get_by_label("Status").select_option("paid")
        expect(page.get_by_role("row")).to_have_count(2)
        page.get_by_label("Status").select_option("")
        page.get_by_label("Invoice number").fill(other.invoice_number[-6:])
        page.get_by_label("Invoice number").press("Enter")
        link = page.get_by_role("link", name=other.invoice_number, exact=True)
        expect(page.get_by_role("row")).to_have_count(2)
        link.press("Enter")
        dialog = page.get_by_role("dialog", name=f"Invoice {other.invoice_number}")
        expect(dialog).to_contain_text("Consulting")
        assert serious_faults(page) == []
        page.keyboard.press("Escape")
        expect(link).to_be_focused()
        page.route("**/account/invoices/*", lambda route: route.abort())
        link.press("Enter")
        expect(page.get_by_text("No answer came: the connection is lost.")).to_be_visible()
