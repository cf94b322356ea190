"""Operators look invoices up, make them by hand, and void them."""

from collections.abc import Callable
from datetime import UTC, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from rest_framework.test import APIClient

from igny8_core.auth.models import Plan, User
from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.services.notifications import mails as billing_mails
from igny8_core.events.models import Delivery, Event
from tests import make
from tests.api.test_money_input import NOT_MONEY
from tests.api.world import fingerprint, refusal

pytestmark = pytest.mark.django_db

INVOICES = "/api/v1/admin/invoices/"
LINE = {"description": "Migration of a shop", "quantity": 2, "amount": "44.50"}
Login = Callable[[User], APIClient]


@pytest.fixture
def operator(olga: User, as_user: Login) -> APIClient:
    return as_user(olga)


def found(operator: APIClient, **query: Any) -> list[str]:
    response = operator.get(INVOICES, query)
    assert response.status_code == 200, response.content
    return [row["invoice_number"] for row in response.json()["data"]]


def create(operator: APIClient, tenant: User, **data: Any) -> Any:
    return operator.post(
        f"{INVOICES}create/", {"account": tenant.account_id, "line_items": [LINE], **data}, format="json"
    )


def today() -> Any:
    return timezone.now().astimezone(UTC).date()


# --- Looking up ---------------------------------------------------------------------------------------------------


def test_the_list_shows_every_accounts_invoices_newest_first(operator: APIClient, alice: User, charlie: User) -> None:
    first, second = make.invoice(alice.account, notes="By phone"), make.invoice(charlie.account)

    response = operator.get(INVOICES)

    assert [row["id"] for row in response.json()["data"]] == [second.pk, first.pk]
    row = response.json()["data"][1]
    assert (row["account_id"], row["account_name"], row["notes"]) == (alice.account_id, alice.account.name, "By phone")
    assert (row["total"], row["status"], row["void_reason"]) == ("89.00", "pending", "")


def test_search_and_filters_narrow_the_list(operator: APIClient) -> None:
    ann = make.owner({"name": "Ünal Trading"})
    yen = make.owner({"name": "Zebra", "plan": make.plan("yen", currency="JPY")})
    unal = make.invoice(ann.account).invoice_number
    lines = [{"description": "Hours", "quantity": 1, "amount": "9000"}]
    zebra = make.invoice(yen.account, line_items=lines).invoice_number
    Invoice.objects.filter(invoice_number=zebra).update(invoice_date="2025-01-15", status="uncollectible")

    for text in ("Ünal", "ünal tr", unal, unal.lower(), unal[:-2]):
        assert found(operator, search=text) == [unal], text
    for text in ("0001", "rading", "%", "_", "'"):
        assert found(operator, search=text) == [], text
    assert found(operator, currency="JPY") == found(operator, account=yen.account_id) == [zebra]
    assert found(operator, status="uncollectible") == found(operator, date_to="2025-01-15") == [zebra]
    assert found(operator, date_from="2025-01-16") == found(operator, status="pending") == [unal]
    assert found(operator, search="Zebra", currency="USD") == []
    assert found(operator, ordering="created_at") == [unal, zebra]


@pytest.mark.parametrize(
    "query", ["currency=usd", "currency=USDX", "account=0", "account=x", "account=1e3", "status=x"]
)
def test_a_wrong_filter_is_refused(operator: APIClient, query: str) -> None:
    response = operator.get(f"{INVOICES}?{query}")

    assert response.status_code == 400
    assert list(refusal(response)["errors"]) == [query.partition("=")[0]]


def test_one_invoice_is_shown_and_drawn(operator: APIClient, alice: User) -> None:
    invoice = make.invoice(alice.account)

    shown = operator.get(f"{INVOICES}{invoice.pk}/").json()["data"]
    pdf = operator.get(f"{INVOICES}{invoice.pk}/pdf/")

    assert shown["invoice_number"] == invoice.invoice_number
    assert shown["billing_snapshot"]["email"] == "alice@example.com"
    assert pdf["Content-Type"] == "application/pdf"
    assert b"".join(pdf) if pdf.streaming else pdf.content[:5] == b"%PDF-"


# --- Making one by hand -------------------------------------------------------------------------------------------


def test_an_invoice_is_made_and_mailed(operator: APIClient, olga: User, alice: User) -> None:
    due = today() + timedelta(days=30)

    response = create(operator, alice, due_date=due.isoformat(), notes="As agreed by phone\non Monday")

    assert response.status_code == 201
    data = response.json()["data"]
    assert (data["total"], data["currency"], data["status"], data["due_date"]) == (
        "89.00", "USD", "pending", due.isoformat(),
    )  # fmt: skip
    assert data["line_items"] == [{"description": "Migration of a shop", "quantity": 2, "amount": "44.50"}]
    assert data["notes"] == "As agreed by phone\non Monday"
    invoice = Invoice.objects.get(pk=data["id"])
    assert (invoice.account_id, invoice.subscription_id, invoice.total) == (alice.account_id, None, Decimal(89))
    event = Event.objects.get(type="invoice.created")
    assert (event.actor_id, event.account_id) == (olga.pk, alice.account_id)
    assert Delivery.objects.filter(event=event, consumer="email").exists()


def test_the_invoice_is_due_in_seven_days_where_nothing_is_said(operator: APIClient, alice: User) -> None:
    assert create(operator, alice).json()["data"]["due_date"] == (today() + timedelta(days=7)).isoformat()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("send", "mails"), [(True, 1), (False, 0)])
def test_the_customer_is_mailed_unless_the_operator_says_no(
    operator: APIClient, alice: User, send: bool, mails: int
) -> None:
    response = create(operator, alice, send=send)

    billing_mails.handle(Event.objects.get(type="invoice.created"))

    assert len(mail.outbox) == mails
    assert ("not sent" in response.json()["message"]) == (not send)


@pytest.mark.parametrize("days", [-1, 366, 100_000])
def test_a_due_date_in_the_past_or_far_away_is_refused(operator: APIClient, alice: User, days: int) -> None:
    before = fingerprint()

    response = create(operator, alice, due_date=(today() + timedelta(days=days)).isoformat())

    assert response.status_code == 400
    assert list(refusal(response)["errors"]) == ["due_date"]
    assert fingerprint() == before


@pytest.mark.parametrize("days", [0, 365])
def test_today_and_a_year_ahead_are_due_dates(operator: APIClient, alice: User, days: int) -> None:
    assert create(operator, alice, due_date=(today() + timedelta(days=days)).isoformat()).status_code == 201


def test_a_thousand_lines_are_an_invoice_and_one_more_is_refused_in_words(operator: APIClient, alice: User) -> None:
    lines = [{"description": f"Line {number}", "quantity": 1, "amount": "1.25"} for number in range(1, 1002)]

    taken = create(operator, alice, line_items=lines[:1000])
    before = fingerprint()
    refused = create(operator, alice, line_items=lines)

    assert (taken.status_code, taken.json()["data"]["total"]) == (201, "1250.00")
    assert [line["description"] for line in taken.json()["data"]["line_items"]] == [
        line["description"] for line in lines[:1000]
    ]
    assert refusal(refused)["errors"] == {
        "line_items": ["An invoice has at most 1000 lines. Make another invoice for the rest."]
    }
    assert fingerprint() == before


WRONG: list[tuple[str, Any, str]] = [
    *(("due_date", value, "due_date") for value in ("tomorrow", "2026-02-30", "2026-1-1", "", 1, None, "٢٠٢٦-01-01")),
    *(("due_date", value, "due_date") for value in ("2026-01-01T00:00:00Z", "2026-01-01\n", True, [])),
    *(("account", value, "account") for value in (None, "1", 0, -1, True, 1.0, [], {}, 987_654_321, 2**63)),
    *(("send", value, "send") for value in ("true", 1, 0, None, "yes", [])),
    ("line_items", [], "line_items"),
    ("line_items", None, "line_items"),
    ("line_items", {}, "line_items"),
    ("line_items", "x", "line_items"),
    ("line_items", [LINE] * 1001, "line_items"),
    ("line_items", ["x"], "line_items.0"),
    ("line_items", [LINE, {**LINE, "credits": 1000}], "line_items.1.credits"),
    ("line_items", [LINE, {**LINE, "kind": "plan"}], "line_items.1.kind"),
    ("line_items", [{"quantity": 1, "amount": "1.00"}], "line_items.0.description"),
    ("line_items", [{"description": "x", "quantity": 1}], "line_items.0.amount"),
    *(
        ("line_items", [{**LINE, "quantity": value}], "line_items.0.quantity")
        for value in (0, -1, 1.0, 1.5, "1", True, None, 10**6 + 1, 2**70)
    ),
    *(
        ("line_items", [{**LINE, "description": value}], "line_items.0.description")
        for value in ("", " ", 1, "x" * 501)
    ),
    ("notes", "x" * 2001, "notes"),
    ("notes", "\u202e", "notes"),
]


def test_what_is_wrong_is_refused_by_name(operator: APIClient, alice: User) -> None:
    before = fingerprint()

    for field, value, blamed in WRONG:
        response = create(operator, alice, **{field: value})

        assert response.status_code == 400, ascii((field, value))[:200]
        errors = refusal(response)["errors"]
        assert all(name == blamed or name.startswith(blamed) for name in errors), errors
        assert errors
    assert fingerprint() == before


def test_an_amount_is_money_of_the_accounts_currency(operator: APIClient, alice: User) -> None:
    before = fingerprint()

    for amount in NOT_MONEY:
        response = create(operator, alice, line_items=[LINE, {**LINE, "amount": amount}])
        assert response.status_code == 400, repr(amount)
        assert all(name.startswith("line_items.1.amount") for name in refusal(response)["errors"]), repr(amount)
    assert fingerprint() == before


@pytest.mark.parametrize(
    ("currency", "amount", "status"),
    [
        ("JPY", "9000", 201),
        ("JPY", "9000.0", 400),
        ("KWD", "26.125", 201),
        ("KWD", "26.1250", 400),
        ("USD", "1.5", 201),
    ],
)
def test_the_decimals_are_those_of_the_currency(
    operator: APIClient, alice: User, currency: str, amount: str, status: int
) -> None:
    Plan.objects.filter(pk=alice.account.plan_id).update(currency=currency)

    response = create(operator, alice, line_items=[{**LINE, "amount": amount}])

    assert response.status_code == status
    if status == 201:
        assert response.json()["data"]["currency"] == currency


def test_lines_may_not_add_up_to_more_than_an_invoice_holds(operator: APIClient, alice: User) -> None:
    before = fingerprint()

    response = create(operator, alice, line_items=[{**LINE, "amount": "9999999999.99", "quantity": 1_000_000}] * 100)

    assert response.status_code == 400
    refusal(response)
    assert fingerprint() == before


def test_a_hundred_lines_add_up_exactly(operator: APIClient, alice: User) -> None:
    lines = [{**LINE, "amount": "0.01", "quantity": number} for number in range(1, 101)]

    assert create(operator, alice, line_items=lines).json()["data"]["total"] == "50.50"


# --- Voiding ------------------------------------------------------------------------------------------------------


def test_an_open_invoice_is_voided_with_its_reason(operator: APIClient, olga: User, alice: User) -> None:
    invoice = make.invoice(alice.account)

    response = operator.post(f"{INVOICES}{invoice.pk}/void/", {"reason": "Made twice"}, format="json")

    assert response.status_code == 200
    data = response.json()["data"]
    assert (data["status"], data["void_reason"], data["invoice_number"]) == (
        "void", "Made twice", invoice.invoice_number,
    )  # fmt: skip
    event = Event.objects.get(type="invoice.voided")
    assert (event.actor_id, event.data["reason"]) == (olga.pk, "Made twice")


def test_an_invoice_that_is_settled_or_being_paid_is_not_voided(operator: APIClient, olga: User, alice: User) -> None:
    paid = make.submitted_payment(make.invoice(alice.account))
    operator.post(f"/api/v1/admin/payments/{paid.pk}/approve/", {}, format="json")
    waiting, void = make.submitted_payment(make.invoice(alice.account)), make.invoice(alice.account)
    operator.post(f"{INVOICES}{void.pk}/void/", {"reason": "x"}, format="json")
    before = fingerprint()

    for invoice in (paid.invoice_id, waiting.invoice_id, void.pk):
        response = operator.post(f"{INVOICES}{invoice}/void/", {"reason": "x"}, format="json")
        assert (response.status_code, refusal(response)["code"]) == (409, "move_not_allowed")
    assert fingerprint() == before


@pytest.mark.parametrize("reason", [None, "", " ", 1, "x" * 256, "a\nb"])
def test_voiding_needs_a_reason(operator: APIClient, alice: User, reason: Any) -> None:
    invoice = make.invoice(alice.account)
    before = fingerprint()

    response = operator.post(f"{INVOICES}{invoice.pk}/void/", {"reason": reason}, format="json")

    assert response.status_code == 400
    assert list(refusal(response)["errors"]) == ["reason"]
    assert fingerprint() == before


def test_every_id_that_is_no_invoice_is_the_same_404(operator: APIClient) -> None:
    for call in (
        lambda number: operator.get(f"{INVOICES}{number}/"),
        lambda number: operator.post(f"{INVOICES}{number}/void/", {"reason": "x"}, format="json"),
        lambda number: operator.get(f"{INVOICES}{number}/pdf/"),
    ):
        answers = [call(number) for number in (987_654_321, 999_999_999_999_999_999)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert refusal(answers[0]) == refusal(answers[1])
        assert refusal(answers[0])["code"] == "invoice_not_found"


def test_nothing_is_added_to_the_books_of_a_deleted_account(operator: APIClient, charlie: User) -> None:
    account = charlie.account
    account.status, account.deleted_at = "canceled", timezone.now()
    account.save()
    before = fingerprint()

    invoiced = create(operator, charlie)
    adjusted = operator.post(
        f"/api/v1/admin/accounts/{account.pk}/adjust-credits/", {"amount": 5, "reason": "Goodwill"}, format="json"
    )

    assert [(answer.status_code, refusal(answer)["code"]) for answer in (invoiced, adjusted)] == [
        (409, "account_deleted"),
        (409, "account_deleted"),
    ]
    assert fingerprint() == before
