"""Payments to check: what waits, the oldest first, the filters kept, and nothing decided that was read otherwise."""

import re
from datetime import timedelta
from decimal import Decimal
from html import unescape
from io import BytesIO
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from igny8_core.auth.models import Account, User
from igny8_core.business.billing.models import Payment, PaymentStatus
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.proofs.files import rewritten
from tests import make
from tests.admin.samples import operator_with
from tests.billing.pdfs_of_strangers import pdf

pytestmark = pytest.mark.django_db

QUEUE = "/admin/billing/payment/queue/"


def check(payment: Payment, filters: str = "") -> str:
    return reverse("admin:billing_payment_check", args=[payment.pk]) + (f"?{filters}" if filters else "")


def shown(browser: Client, address: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", browser.get(address).content.decode())).split())


def read(browser: Client, payment: Payment) -> str:
    """The field of the page's forms that says what was read."""
    token: str = browser.get(check(payment)).context["read"]
    return token


def decide(browser: Client, payment: Payment, decision: str, filters: str = "", **fields: str) -> Any:
    as_read = fields.pop("read") if "read" in fields else read(browser, payment)
    return browser.post(check(payment, filters), {"decision": decision, "read": as_read, **fields})


def status(payment: Payment) -> str:
    return Payment.objects.get(pk=payment.pk).status


def waiting(*hours: int) -> list[Payment]:
    """Payments that have waited for so many hours."""
    payments = [make.submitted_payment() for _ in hours]
    for payment, ago in zip(payments, hours, strict=True):
        Payment.objects.filter(pk=payment.pk).update(created_at=timezone.now() - timedelta(hours=ago))
    return payments


def test_the_queue_opens_on_what_has_waited_longest_and_goes_on_to_the_next(console: Client) -> None:
    young, oldest, middle = waiting(1, 9, 5)

    opened = console.get(QUEUE)
    approved = decide(console, oldest, "approve")
    rejected = decide(console, middle, "reject", reason_code="not_found")
    last = decide(console, young, "approve")

    assert [answer["Location"] for answer in (opened, approved, rejected, last)] == [
        check(oldest), check(middle), check(young), QUEUE,
    ]  # fmt: skip
    assert {approved.status_code, rejected.status_code} == {303}
    assert [status(payment) for payment in (oldest, middle, young)] == ["succeeded", "failed", "succeeded"]
    assert "Nothing waits: all payments are decided" in shown(console, QUEUE)


def test_what_was_left_comes_again_after_the_last_one(console: Client) -> None:
    first, second, third = waiting(9, 5, 1)

    page = console.get(check(third)).context
    following = decide(console, third, "approve")

    assert (page["next_address"], page["previous_address"]) == (check(first), check(second))
    assert console.get(check(first)).context["previous_address"] == check(second)
    assert following["Location"] == check(first)


def test_filters_are_kept_through_every_decision(console: Client) -> None:
    first, other, second = waiting(9, 7, 5)
    Account.objects.filter(pk__in=[first.account_id, second.account_id]).update(name="Al Noor")
    filters = "q=Al+Noor&payment_method__exact=bank_transfer"

    opened = console.get(f"{QUEUE}?{filters}&status__exact=succeeded&o=1")
    approved = decide(console, first, "approve", filters)
    stays = decide(console, second, "approve", filters, read="")
    done = decide(console, second, "approve", filters)

    assert opened["Location"] == check(first, filters)
    assert approved["Location"] == check(second, filters)
    assert stays.status_code == 409
    assert done["Location"] == f"{QUEUE}?{filters}"
    assert "1 payment waits without them" in shown(console, done["Location"])
    assert status(other) == "pending_approval"
    listed = console.get(reverse("admin:billing_payment_changelist"), {"q": "Al Noor"}).content.decode()
    assert f'href="{QUEUE}?q=Al+Noor"' in listed


def test_filters_that_the_list_does_not_offer_are_refused_as_there(console: Client) -> None:
    waiting(1)

    assert console.get(f"{QUEUE}?account__owner__password__startswith=a").status_code == 400
    assert console.get(f"{QUEUE}?created_at_from_0=nonsense").status_code in {200, 302}


def test_the_page_shows_what_was_confirmed_beside_what_is_due(console: Client, olga: User) -> None:
    account = make.owner(
        {"name": "Al Noor", "billing_email": "bills@example.com", "billing_country": "PK", "status": "pending_payment"}
    ).account
    invoice = make.subscription(account).invoices.get()
    elsewhere = make.submitted_payment(reference="BT-4711")
    PaymentService.reject_manual_payment(make.submitted_payment(invoice, "BT-1"), "Too little", olga)
    payment = make.submitted_payment(invoice, "bt 4711", payer_name="Noor Bank", proof=make.proof(account))

    html, text = console.get(check(payment)).content.decode(), shown(console, check(payment))

    for words in (
        "89.00 USD of Al Noor for INV-", "bt 4711", "Noor Bank", "Bank Transfer", "bills@example.com", "Country PK",
        "Pending payment", "Starter", "Credits 1,000", "BT-1 Failed 89.00 USD, for this invoice", "Too little",
        f"Payment {elsewhere.pk} Pending approval same reference:",
    ):  # fmt: skip
        assert words in text
    assert f'src="{reverse("admin:billing_payment_proof", args=[payment.pk])}"' in html
    assert "The same transfer was claimed elsewhere" in shown(console, check(elsewhere))


def test_attempts_of_the_same_invoice_come_first_however_old_they_are(console: Client, olga: User) -> None:
    account = make.owner().account
    invoice = make.invoice(account)
    PaymentService.reject_manual_payment(make.submitted_payment(invoice, "OLD"), "Too little", olga)
    payment = make.submitted_payment(invoice, "NEW")
    for number in range(11):
        make.submitted_payment(make.invoice(account), f"LATER-{number}")

    attempts = [other.title for other in console.get(check(payment)).context["review"].attempts]

    assert attempts == ["OLD", *(f"LATER-{number}" for number in range(10, 1, -1))]


def test_the_page_costs_the_same_however_many_wait(console: Client) -> None:
    payment, *_ = waiting(9, 5)
    with CaptureQueriesContext(connection) as few:
        console.get(check(payment))
    waiting(*range(1, 9))

    with CaptureQueriesContext(connection) as many:
        console.get(check(payment))

    assert len(many) == len(few)


def test_the_question_names_amount_customer_and_reference(console: Client) -> None:
    payment = make.submitted_payment(reference="BT-4711")

    text = shown(console, check(payment))

    for verb in ("Approve", "Reject"):
        assert f"{verb} 89.00 USD of {payment.account.name}, reference BT-4711?" in text


def test_what_changed_since_it_was_read_is_refused_with_both_versions(console: Client, olga: User) -> None:
    payment = make.submitted_payment(reference="BT-4711")
    as_read = read(console, payment)
    claimed = make.submitted_payment(reference="bt-4711")
    Account.objects.filter(pk=payment.account_id).update(name="Renamed")

    refused = decide(console, payment, "approve", read=as_read)
    told = {change.fact: (change.before, change.now) for change in refused.context["changes"]}
    state = status(payment)
    again = decide(console, payment, "approve", read=refused.context["read"], override_duplicate="on", note="Two came")

    assert (refused.status_code, state) == (409, "pending_approval")
    assert told["Same reference or proof"] == ("none", f"Payment {claimed.pk} (Pending approval)")
    assert told["Customer"] == (f"{payment.account.name}, Pending payment", "Renamed, Pending payment")
    assert again.status_code == 303
    assert status(payment) == "succeeded"


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_what_another_operator_decided_is_told_and_stays(console: Client, decision: str) -> None:
    payment, other = make.submitted_payment(), make.operator(email="omar@example.com")
    as_read = read(console, payment)
    PaymentService.reject_manual_payment(payment, "", other)

    refused = decide(console, payment, decision, read=as_read, reason_code="not_found")

    assert refused.status_code == 409
    assert ("Pending approval", "Failed, decided by omar@example.com") in [
        (change.before, change.now) for change in refused.context["changes"]
    ]
    assert Payment.objects.get(pk=payment.pk).approved_by == other
    assert "This payment waits no longer: Failed. Decided by omar@example.com." in shown(console, check(payment))


def test_a_forged_reading_decides_nothing(console: Client) -> None:
    payment = make.submitted_payment()

    assert decide(console, payment, "approve", read="e30:x:y").status_code == 409
    assert status(payment) == "pending_approval"


@pytest.mark.parametrize(
    ("decision", "fields", "sentence"),
    [
        ("approve", {"note": "x" * 2001}, "2000"),
        ("reject", {}, "Choose the reason that the customer reads."),
        ("reject", {"reason_code": "other"}, "Write the reason that the customer reads"),
    ],
)
def test_a_wrong_field_is_told_in_its_dialog(
    console: Client, decision: str, fields: dict[str, str], sentence: str
) -> None:
    payment = make.submitted_payment()

    refused = decide(console, payment, decision, **fields)

    assert (refused.status_code, refused.context["opens"]) == (400, decision)
    assert sentence in unescape(refused.content.decode())
    assert status(payment) == "pending_approval"


def test_a_rejection_keeps_what_the_customer_reads_apart_from_the_note(console: Client) -> None:
    payment = make.submitted_payment()

    decide(console, payment, "reject", reason_code="wrong_amount", reason="We got 8.90.", note="Line 14")

    payment.refresh_from_db()
    told = "The amount that we received is not the amount of the invoice. We got 8.90."
    assert (payment.failure_reason, payment.internal_note) == (told, "Line 14")


def test_a_repeated_transfer_needs_the_override_and_a_note(console: Client) -> None:
    make.submitted_payment(reference="BT-1")
    second = make.submitted_payment(reference="bt 1")

    refused = decide(console, second, "approve")

    assert (refused["Location"], status(second)) == (check(second), "pending_approval")


def test_a_large_amount_asks_who_it_is_and_goes_on_from_there(olga: User, settings: Any) -> None:
    settings.CONFIRMATION_AGE = timedelta(minutes=5)
    settings.CONFIRM_APPROVALS_ABOVE = {"USD": Decimal("88.99")}
    browser, (large, following) = Client(), waiting(5, 1)
    with time_machine.travel(timezone.now() - timedelta(minutes=10), tick=False):
        browser.force_login(olga)
    as_read = read(browser, large)

    asked = decide(browser, large, "approve", "q=user", read=as_read, note="Seen")
    state = status(large)
    fields = dict(asked.context["fields"])
    confirmed = browser.post(asked.context["address"], {**fields, "confirm_password": make.PASSWORD})

    assert (asked.status_code, state, asked.context["leads_back"]) == (403, "pending_approval", check(large, "q=user"))
    assert confirmed.status_code == 303
    assert (status(large), status(following)) == ("succeeded", "pending_approval")
    assert Payment.objects.get(pk=large.pk).admin_notes == "Seen"


def test_who_may_not_decide_sees_the_queue_without_buttons(client: Client) -> None:
    payment = make.submitted_payment()
    client.force_login(operator_with("billing.view_payment"))

    page = client.get(check(payment))

    assert page.status_code == 200
    assert 'data-opens-dialog="approve"' not in page.content.decode()
    assert decide(client, payment, "approve").status_code == 403
    assert status(payment) == "pending_approval"


@pytest.mark.parametrize("permissions", [[], ["billing.approve_payment"]])
def test_who_may_not_see_payments_gets_nothing(client: Client, permissions: list[str]) -> None:
    payment = make.submitted_payment()
    client.force_login(operator_with(*permissions))

    posted = client.post(check(payment), {"decision": "approve", "read": ""})

    assert [client.get(QUEUE).status_code, client.get(check(payment)).status_code, posted.status_code] == [403] * 3


def test_nobody_decides_a_payment_of_their_own_account(client: Client) -> None:
    payment = make.submitted_payment()
    client.force_login(make.operator(account=payment.account, role="admin"))

    text = shown(client, check(payment))
    decide(client, payment, "approve")

    assert "Another operator has to decide it." in text
    assert status(payment) == PaymentStatus.PENDING_APPROVAL


def test_a_post_from_another_site_and_an_unknown_decision_are_refused(olga: User, console: Client) -> None:
    payment, browser = make.submitted_payment(), Client(enforce_csrf_checks=True)
    browser.force_login(olga)

    assert browser.post(check(payment), {"decision": "approve"}).status_code == 403
    assert console.post(check(payment), {"decision": "delete"}).status_code == 403
    assert status(payment) == "pending_approval"


def test_the_pages_of_a_pdf_are_shown_as_one_picture(console: Client) -> None:
    payment = make.submitted_payment(make.invoice(make.owner().account), "BT-1")
    drawn = rewritten(pdf(pages=2))
    proof = make.proof(payment.account, content=drawn.content, content_type="application/pdf")
    Payment.objects.filter(pk=payment.pk).update(proof=proof)
    address = reverse("admin:billing_payment_proof_pages", args=[payment.pk])

    answer = console.get(address)

    picture = Image.open(BytesIO(answer.content))
    assert (answer["Content-Type"], answer["Content-Disposition"][:6]) == ("image/jpeg", "inline")
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert picture.width == 1400
    assert picture.height > picture.width
    assert f'src="{address}"' in console.get(check(payment)).content.decode()


def test_the_queue_is_linked_where_operators_look(console: Client) -> None:
    payment = make.submitted_payment()

    page = console.get(reverse("admin:index"))

    assert [card.href for card in page.context["cards"] if card.title == "Payments to approve"] == [QUEUE]
    [longest] = [listing for listing in page.context["lists"] if listing.title == "Longest waiting payments"]
    assert longest.rows[0][0].href == check(payment)
    assert page.content.decode().count(f'href="{QUEUE}"') >= 2


@pytest.mark.parametrize(
    ("known", "page"),
    [
        ("dashboard", "/admin/"),
        ("accounts", "/admin/igny8_auth/account/"),
        ("invoices", "/admin/billing/invoice/"),
        ("payments", "/admin/billing/payment/"),
        ("payment-methods", "/admin/billing/paymentmethodconfig/"),
        ("credit-costs", "/admin/billing/creditcostconfig/"),
    ],
)
def test_the_described_addresses_of_the_console_lead_to_its_pages(console: Client, known: str, page: str) -> None:
    answers = [console.get(f"/admin/{known}{end}?q=x")["Location"] for end in ("", "/")]

    assert answers == [f"{page}?q=x"] * 2
