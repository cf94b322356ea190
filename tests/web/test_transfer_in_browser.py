"""A transfer in a real browser on a phone: the mailed link, the details, the form, and the answer without a reload."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from django.core import mail
from PIL import Image
from playwright.sync_api import Page, Route, ViewportSize, expect
from pytest_django.live_server_helper import LiveServer

from igny8_core.auth.models import User
from igny8_core.business.billing.models import Invoice, Payment
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.invoices.pay_links import withdraw_pay_links
from igny8_core.business.billing.services.notifications import mails
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.common import clock
from igny8_core.events.models import Event
from tests import make
from tests.web.accessibility import Scheme, serious_faults
from tests.web.browser import browser_page, elsewhere, with_chromium

pytestmark = [pytest.mark.django_db(transaction=True), with_chromium]

PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1440, "height": 900}
LOOKS: tuple[tuple[ViewportSize, Scheme], ...] = ((PHONE, "dark"), (DESK, "light"))
IBAN = "DE89370400440532013000"


def mailed_link() -> str:
    """The link in the newest mail about the invoice, which is in both its parts."""
    mail.outbox.clear()
    mails.handle(Event.objects.filter(type="invoice.created").latest("pk"))
    [sent] = mail.outbox
    [link] = set(re.findall(r"http://\S+/pay/[^/\s]+/", str(sent.body)))
    assert f'href="{link}"' in str(sent.alternatives[0][0])  # type: ignore[attr-defined]
    return link


def no_payment() -> None:
    assert not Payment.objects.exists()


def fill_in(page: Page, reference: str) -> None:
    page.get_by_text("I have sent the money").click()
    page.get_by_label("Reference of the transfer").fill(reference)
    page.get_by_label("Day of the transfer").fill(clock.today().isoformat())
    page.get_by_label("Sender's name").fill("Ada Köhler")


def send(page: Page) -> None:
    page.get_by_role("button", name="Tell us that you have paid").click()


@pytest.fixture
def invoice(live_server: LiveServer, settings: Any) -> Invoice:
    """Over 139.00 EUR, to be paid by bank transfer."""
    settings.BASE_URL = live_server.url
    make.payment_method(account_title="igny8 GmbH", iban=IBAN, bank_name="Musterbank AG")
    tenant = {"name": "Blumenhaus Köhler", "billing_email": "k@blumen.example", "payment_method": "bank_transfer"}
    owner = make.owner(tenant)
    lines = [{"description": "Growth plan", "quantity": 1, "amount": "139.00"}]
    return InvoiceService.create_invoice(owner.account, lines, currency="EUR")


@pytest.fixture
def phone(invoice: Invoice) -> Iterator[Page]:
    """A phone with the mailed page open."""
    link = mailed_link()
    with browser_page(answered=(400, 404, 410), loses=True) as page:
        page.set_viewport_size(PHONE)
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto(link)
        yield page


def test_from_the_mail_to_paid_without_a_login_and_without_a_reload(olga: User, phone: Page, tmp_path: Path) -> None:
    photo = tmp_path / "IMG_0001.PNG"
    photo.write_bytes(make.png(40, 40))

    phone.get_by_role("button", name="Copy IBAN").click()
    expect(phone.get_by_text("Copied").first).to_be_visible()
    assert phone.evaluate("navigator.clipboard.readText()") == IBAN
    fill_in(phone, "BT-20261129")
    phone.get_by_label("Receipt or screenshot").set_input_files(photo)
    expect(phone.get_by_text("IMG_0001.PNG · 1 kB")).to_be_visible()
    send(phone)
    expect(phone.get_by_role("status")).to_contain_text("Your payment is being checked.")
    phone.evaluate("window.isTheSamePage = true")
    elsewhere(lambda: PaymentService.approve_manual_payment(Payment.objects.get(), olga))
    expect(phone.get_by_role("status")).to_contain_text("Paid, thank you.")
    expect(phone.get_by_role("link", name="Save the receipt (PDF)")).to_be_visible()
    assert phone.evaluate("window.isTheSamePage")


@pytest.mark.stress
def test_a_rejection_is_shown_with_its_reason_and_a_second_try(olga: User, phone: Page) -> None:
    fill_in(phone, "BT-WRONG")
    send(phone)
    expect(phone.get_by_role("status")).to_contain_text("being checked")
    elsewhere(lambda: PaymentService.reject_manual_payment(Payment.objects.get(), "The amount was 13.90.", olga))
    expect(phone.get_by_role("alert").first).to_contain_text("The amount was 13.90.")
    phone.get_by_label("Reference of the transfer").fill("BT-RIGHT")
    phone.get_by_label("Day of the transfer").fill(clock.today().isoformat())
    send(phone)
    expect(phone.get_by_role("status")).to_contain_text("being checked")
    expect(phone.get_by_text("BT-RIGHT")).to_be_visible()


def test_the_code_on_the_page_is_read_by_a_phone(phone: Page, invoice: Invoice) -> None:
    shot = phone.get_by_role("img", name="QR code of this transfer").screenshot()

    [code] = zxingcpp.read_barcodes(Image.open(BytesIO(shot)))

    assert code.text.split("\n")[5:] == ["igny8 GmbH", IBAN, "EUR139", "", "", invoice.invoice_number]


def test_what_was_wrong_is_said_and_the_file_stays_chosen(phone: Page, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.png"
    receipt.write_bytes(make.png())
    fill_in(phone, "")
    phone.get_by_label("Receipt or screenshot").set_input_files(receipt)
    send(phone)
    expect(phone.get_by_text("Give the reference that your bank or wallet shows")).to_be_visible()
    expect(phone.get_by_label("Sender's name")).to_have_value("Ada Köhler")
    expect(phone.get_by_text("receipt.png · 1 kB")).to_be_visible()
    phone.get_by_label("Reference of the transfer").fill("BT-1")
    send(phone)
    expect(phone.get_by_role("status")).to_contain_text("being checked")
    elsewhere(lambda: Payment.objects.get(proof__isnull=False))


def test_a_lost_connection_loses_nothing_and_a_second_try_is_kept_once(phone: Page) -> None:
    tries: list[Route] = []

    def lose_the_first(route: Route) -> None:
        tries.append(route)
        # The form arrives, and its answer is lost.
        route.fetch(max_redirects=0)
        route.abort() if len(tries) == 1 else route.continue_()

    phone.route("**/confirm/", lose_the_first)
    fill_in(phone, "BT-1")
    # The page must not learn of the first one by itself.
    phone.route("**/state/", lambda route: route.abort())
    send(phone)
    expect(phone.get_by_text("The connection was lost.")).to_be_visible()
    expect(phone.get_by_label("Reference of the transfer")).to_have_value("BT-1")
    send(phone)
    expect(phone.get_by_role("status")).to_contain_text("being checked")
    elsewhere(lambda: Payment.objects.get())


def test_a_link_that_opens_nothing_any_more_is_said_beside_what_was_typed(phone: Page, invoice: Invoice) -> None:
    phone.route("**/state/", lambda route: route.abort())
    fill_in(phone, "BT-1")
    elsewhere(lambda: withdraw_pay_links(invoice))
    send(phone)
    expect(phone.get_by_role("alert")).to_contain_text("This link was withdrawn")
    expect(phone.get_by_label("Reference of the transfer")).to_have_value("BT-1")
    elsewhere(no_payment)


def test_a_page_that_is_being_filled_in_is_not_taken_away(phone: Page, invoice: Invoice) -> None:
    fill_in(phone, "BT-1")
    elsewhere(lambda: InvoiceService.mark_void(invoice, "ordered twice"))
    expect(phone.get_by_text("This invoice has changed while you were writing.")).to_be_visible()
    expect(phone.get_by_label("Reference of the transfer")).to_have_value("BT-1")
    phone.get_by_role("link", name="Show it as it is now").click()
    expect(phone.get_by_role("status")).to_contain_text("This invoice is void.")


def test_a_file_dropped_on_the_form_is_sent_and_one_that_is_too_large_is_not(phone: Page) -> None:
    fill_in(phone, "BT-1")
    drop = """async (bytes) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], "big.pdf", { type: "application/pdf" }));
        const options = { dataTransfer: data, bubbles: true, cancelable: true };
        document.querySelector(".drop").dispatchEvent(new DragEvent("drop", options));
    }"""
    phone.evaluate(drop, 5 * 1024 * 1024 + 1)
    expect(phone.get_by_text("This file has more than 5 MB.")).to_be_visible()
    send(phone)
    expect(phone.get_by_role("button", name="Tell us that you have paid")).to_be_enabled()
    phone.get_by_role("button", name="Remove").click()
    expect(phone.get_by_text("This file has more than 5 MB.")).to_be_hidden()
    send(phone)
    expect(phone.get_by_role("status")).to_contain_text("being checked")
    elsewhere(lambda: Payment.objects.get(proof=None))


def faults_of(page: Page) -> list[str]:
    """On a dark phone and on a light desk; the others are looked at in test_accessibility.py."""
    found = []
    for size, scheme in LOOKS:
        page.set_viewport_size(size)
        found += serious_faults(page, (scheme,))
        found += ["too wide"] if page.evaluate("document.documentElement.scrollWidth > innerWidth") else []
    return found


@pytest.mark.stress
def test_nothing_keeps_people_off_the_page(invoice: Invoice, olga: User, stripe: object, paypal: object) -> None:
    make.payment_method(payment_method="stripe", display_name="Card")
    make.payment_method(payment_method="paypal", display_name="PayPal")
    make.payment_method(payment_method="local_wallet", display_name="JazzCash", wallet_id="03001234567")
    link = mailed_link()

    with browser_page(answered=(400, 404, 410), loses=True) as page:
        page.goto(link)
        found = {"open": faults_of(page)}
        fill_in(page, "")
        send(page)
        expect(page.get_by_role("alert")).to_be_visible()
        found["wrong"] = faults_of(page)
        page.get_by_label("Reference of the transfer").fill("BT-1")
        send(page)
        expect(page.get_by_role("status")).to_contain_text("being checked")
        found["checked"] = faults_of(page)
        elsewhere(lambda: PaymentService.reject_manual_payment(Payment.objects.get(), "Not found.", olga))
        expect(page.get_by_role("alert").first).to_contain_text("Not found.")
        found["rejected"] = faults_of(page)
        elsewhere(lambda: PaymentService.approve_manual_payment(make.submitted_payment(invoice), olga))
        expect(page.get_by_role("status")).to_contain_text("Paid")
        found["paid"] = faults_of(page)
        page.goto(link[:-3])
        found["unknown"] = faults_of(page)

    assert {state: faults for state, faults in found.items() if faults} == {}


def test_the_page_weighs_little(phone: Page) -> None:
    """All that is loaded from us, before anything compresses it."""
    weights: list[int] = []
    phone.on("response", lambda response: weights.append(len(response.body())))
    phone.reload(wait_until="networkidle")

    assert 4 <= len(weights) <= 10
    assert sum(weights) < 100_000
