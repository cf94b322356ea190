"""From signing up to having paid, through a browser, a mail server and the console; every part is the real one."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from igny8_core.auth.management.commands.ensure_demo_operator import EMAIL, PASSWORD
from tests import make
from tests.journey.parts import Site, installation
from tests.web.browser import Desk, browsers, with_chromium

pytestmark = [pytest.mark.stress, with_chromium]

PHONE = (390, 844)
PATIENCE = 90_000  # milliseconds; for what takes a moment also on a machine that does much else
CUSTOMERS_PASSWORD = "a lonely engine hums"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Site]:
    with installation(f"igny8_journey_{worker_id}", tmp_path_factory.mktemp("installation")) as running:
        yield running


@pytest.fixture
def desk() -> Iterator[Desk]:
    with browsers() as opened:
        yield opened


def signs_up(page: Page, site: Site, plan: str, email: str) -> None:
    page.goto(site.url)
    page.get_by_role("link", name=f"Choose {plan}").click()
    page.get_by_label("First name").fill("Ada")
    page.get_by_label("Last name").fill("Lovelace")
    page.get_by_label("E-mail address", exact=True).fill(email)
    page.get_by_label("Password", exact=True).fill(CUSTOMERS_PASSWORD)
    page.get_by_label("Company").fill("Analytical Engines")
    page.get_by_role("checkbox", name="I agree").check()
    if plan != "Free":
        page.get_by_label("Country").select_option("PK")
        page.get_by_label("Street and number").fill("1 Mall Road")
        page.get_by_label("City").fill("Lahore")


def orders_by_transfer(page: Page, site: Site, email: str) -> None:
    """Up to the page of the invoice."""
    signs_up(page, site, "Starter", email)
    page.get_by_role("radio", name="Bank Transfer").check()
    page.get_by_role("button", name="Order and pay").click()
    page.wait_for_url("**/pay/**")
    expect(page.get_by_text("89.00 USD").first).to_be_visible()


def says_that_it_is_paid(page: Page, reference: str) -> None:
    form = page.locator("#tell")
    if form.get_attribute("open") is None:
        form.locator("summary").click()
    page.get_by_label("Reference of the transfer").fill(reference)
    page.get_by_label("Day of the transfer").fill(datetime.now(UTC).date().isoformat())
    page.get_by_role("button", name="Tell us that you have paid").click()
    expect(page.get_by_role("status")).to_contain_text("Your payment is being checked.")


def opens_the_console(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/admin/")
    page.locator("[name=username]").fill(EMAIL)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[type=submit]").first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def decides(page: Page, site: Site, reference: str, action: str, note: str) -> None:
    """Find the payment by its reference, tick it, press Go, decide. `note`: what is said, to whomever."""
    page.goto(f"{site.url}/admin/billing/payment/?q={reference}")
    page.locator("[name=_selected_action]").check()
    page.locator("select[name=action]").select_option(label=f"{action} selected manual payments")
    page.get_by_role("button", name="Go", exact=True).click()
    if action == "Reject":
        page.get_by_label("What the customers read").select_option("other")
        page.get_by_role("textbox", name="In your own words").fill(note)
    else:
        page.get_by_label("Note for operators").fill(note)
    page.get_by_role("button", name=f"{action} 1 payment", exact=True).click()
    done = "approved" if action == "Approve" else "rejected"
    expect(page.get_by_role("heading", name=f"1 {done}, 0 refused")).to_be_visible()


def test_a_transfer_is_ordered_confirmed_on_a_phone_and_approved_in_the_console(
    site: Site, desk: Desk, tmp_path: Path
) -> None:
    email = "paid@example.com"
    photo = tmp_path / "IMG_0001.PNG"
    photo.write_bytes(make.png(40, 40))
    customer, phone, operator = desk.opens(), desk.opens(PHONE), desk.opens()

    orders_by_transfer(customer, site, email)
    customer.evaluate("window.isTheSamePage = true")
    phone.goto(site.mailed_link(email, "Thank you for your order."))
    phone.get_by_text("I have sent the money").click()
    phone.get_by_label("Receipt or screenshot").set_input_files(photo)
    says_that_it_is_paid(phone, "BT-PAID")
    expect(customer.get_by_role("status")).to_contain_text("Your payment is being checked.", timeout=PATIENCE)
    opens_the_console(operator, site)
    decides(operator, site, "BT-PAID", "Approve", "Seen on the statement")
    expect(customer.get_by_role("status")).to_contain_text("Paid, thank you.", timeout=PATIENCE)
    assert customer.evaluate("window.isTheSamePage")
    expect(phone.get_by_role("status")).to_contain_text("Paid, thank you.", timeout=PATIENCE)
    phone.goto(site.mailed_link(email, "WE RECEIVED YOUR PAYMENT"))
    expect(phone.get_by_role("heading", name="Receipt")).to_be_visible()
    expect(phone.get_by_role("link", name="Save the receipt (PDF)")).to_be_visible()
    customer.goto(f"{site.url}/home")
    expect(customer.get_by_text("Active", exact=True)).to_be_visible()
    expect(customer.locator("#credits .big")).to_have_text("1,000")


def test_a_rejection_is_read_with_its_reason_and_the_second_try_is_approved(site: Site, desk: Desk) -> None:
    email, reason = "rejected@example.com", "The amount was 8.90 USD."
    customer, phone, operator = desk.opens(), desk.opens(PHONE), desk.opens()

    orders_by_transfer(customer, site, email)
    says_that_it_is_paid(customer, "BT-WRONG")
    opens_the_console(operator, site)
    decides(operator, site, "BT-WRONG", "Reject", reason)
    phone.goto(site.mailed_link(email, reason))
    expect(phone.get_by_role("alert").first).to_contain_text(reason)
    says_that_it_is_paid(phone, "BT-RIGHT")
    decides(operator, site, "BT-RIGHT", "Approve", "")
    expect(phone.get_by_role("status")).to_contain_text("Paid, thank you.", timeout=PATIENCE)
    assert "BT-RIGHT" in site.mailbox.wait_for(email, "WE RECEIVED YOUR PAYMENT")


def test_a_trial_leads_to_the_first_site_and_the_first_spend(site: Site, desk: Desk) -> None:
    page = desk.opens()

    signs_up(page, site, "Free", "trial@example.com")
    page.get_by_role("button", name="Start the free trial").click()
    page.get_by_label("Name of the site").fill("Engines")
    page.get_by_label("Industry").select_option(label="Technology")
    page.get_by_role("button", name="Add the site").click()
    expect(page.get_by_role("heading", name="Engines")).to_be_visible()
    page.get_by_role("link", name="See how credits are spent").click()
    page.get_by_label("Operation").select_option("image_generation")
    page.get_by_label("Quantity").fill("3")
    page.get_by_role("button", name="Spend the credits").click()
    expect(page.locator("#credits .big")).to_have_text("985")
    expect(page.get_by_role("row", name=re.compile("Image generation"))).to_contain_text("−15")


def test_an_order_by_card_is_active_and_its_receipt_is_mailed(site: Site, desk: Desk) -> None:
    page = desk.opens()

    signs_up(page, site, "Starter", "card@example.com")
    page.get_by_role("radio", name="Credit/Debit Card").check()
    page.get_by_role("button", name="Order and pay").click()
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_role("status")).to_contain_text("Paid, thank you.", timeout=PATIENCE)
    page.goto(site.mailed_link("card@example.com", "WE RECEIVED YOUR PAYMENT"))
    expect(page.get_by_role("heading", name="Receipt")).to_be_visible()
