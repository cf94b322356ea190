"""What no operator may change by hand, a superuser cannot either, whatever is posted (MAS-08)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from igny8_core.auth.models import Account, Industry
from igny8_core.business.billing.models import Invoice, Payment
from igny8_core.business.billing.services.invoice_service import InvoiceService
from tests import make
from tests.admin.samples import first_of_each
from tests.cases import some_of

READ_ONLY = [
    "admin.LogEntry",
    "billing.AccountPaymentMethod",
    "billing.CreditGrant",
    "billing.CreditNote",
    "billing.CreditTransaction",
    "billing.CreditUsageHour",
    "billing.CreditUsageLog",
    "billing.CreditUsageSum",
    "billing.DailySum",
    "billing.DailySumMark",
    "billing.InvoiceCounter",
    "billing.Payment",
    "billing.PaymentProof",
    "billing.PlanPriceChange",
    "billing.PriceChangeNotice",
    "billing.Renewal",
    "billing.UsageHourMark",
    "billing.UsageSumMark",
    "billing.WebhookEvent",
    "common.IdempotentAnswer",
    "common.LimitHit",
    "common.RateCounter",
    "common.SentMail",
    "events.Lane",
    "events.TaskRun",
    "events.Delivery",
    "events.Event",
    "igny8_auth.AccountNote",
    "igny8_auth.CustomerLogin",
    "igny8_auth.KnownPlace",
    "igny8_auth.LoginFailure",
    "igny8_auth.LoginSession",
    "igny8_auth.OperatorInvitation",
    "igny8_auth.Site",
    "igny8_auth.SiteUserAccess",
    "igny8_auth.Subscription",
    "igny8_auth.TeamInvitation",
    "igny8_auth.TrialTaken",
]
# The invoice of one_of_each is paid.
NEVER_CHANGED = [*READ_ONLY, "billing.Invoice"]
NEVER_ADDED = [*READ_ONLY, "igny8_auth.Account"]
NEVER_DELETED = [*NEVER_ADDED, "billing.Invoice", "igny8_auth.User"]


def address(row: Model | type[Model], page: str, *args: object) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}", args=args)


def rows(label: str) -> list[dict[str, Any]]:
    return list(apps.get_model(label)._default_manager.order_by("pk").values())


def everything(row: Model) -> dict[str, str]:
    """Another value for every column, under the names that a form would have."""
    return {field.name: "7" for field in row._meta.fields}


def bulk_deletion(row: Model) -> dict[str, str]:
    return {"action": "delete_selected", "_selected_action": str(row.pk), "post": "yes"}


POSTED: list[tuple[list[str], Callable[[Model], tuple[str, dict[str, str]]]]] = [
    (NEVER_CHANGED, lambda row: (address(row, "change", row.pk), {**everything(row), "_save": "Save"})),
    (NEVER_ADDED, lambda row: (address(row, "add"), everything(row))),
    (NEVER_DELETED, lambda row: (address(row, "delete", row.pk), {"post": "yes"})),
    (NEVER_DELETED, lambda row: (address(row, "changelist"), bulk_deletion(row))),
]


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("labels", "post"), some_of(POSTED, each=4), ids=["change", "row", "deletion", "bulk deletion"]
)
def test_what_is_posted_is_refused(
    console: Client, labels: list[str], post: Callable[[Model], tuple[str, dict[str, str]]]
) -> None:
    first_of_each()

    for label in labels:
        before = rows(label)
        address, sent = post(apps.get_model(label)._default_manager.latest("pk"))

        assert console.post(address, sent).status_code == 403, address
        assert rows(label) == before, address


def test_notes_of_an_open_invoice_can_be_written_and_nothing_else(console: Client) -> None:
    invoice = make.invoice()
    before = Invoice.objects.filter(pk=invoice.pk).values().get()

    response = console.post(address(invoice, "change", invoice.pk), {**everything(invoice), "notes": "Called them."})

    assert response.status_code == 302
    assert Invoice.objects.filter(pk=invoice.pk).values().get() == {**before, "notes": "Called them."}


def test_void_invoice_cannot_be_changed(console: Client) -> None:
    invoice = InvoiceService.mark_void(make.invoice(), "Wrong plan")

    response = console.post(address(invoice, "change", invoice.pk), {"notes": "Called them."})

    assert response.status_code == 403
    assert Invoice.objects.get(pk=invoice.pk).notes == ""


def test_contact_details_of_an_account_can_be_corrected_and_nothing_else(console: Client) -> None:
    account = first_of_each()
    contact = {"name": "Karachi Textiles", "billing_country": "PK", "timezone": "Asia/Karachi", "tax_id": "123"}
    before = Account.objects.filter(pk=account.pk).values().get()

    response = console.post(
        address(account, "change", account.pk), {**everything(account), **contact, "billing_email": "a@example.com",
                                                 "payment_method": "bank_transfer"}
    )  # fmt: skip

    after = Account.objects.filter(pk=account.pk).values().get()
    assert response.status_code == 302
    assert {name: after[name] for name in contact} == contact
    for protected in ("status", "credits", "plan_id", "owner_id", "slug", "suspended_reason", "stripe_customer_id"):
        assert after[protected] == before[protected]


def test_account_with_an_unknown_country_is_not_saved(console: Client) -> None:
    account = first_of_each()

    response = console.post(
        address(account, "change", account.pk),
        {"name": "A", "billing_country": "XX", "timezone": "UTC", "payment_method": "bank_transfer"},
    )

    assert response.status_code == 200
    assert "billing_country" in response.context["adminform"].form.errors
    assert Account.objects.get(pk=account.pk).billing_country == account.billing_country


def test_a_wrong_vat_number_is_not_saved_and_one_of_old_stays_out_of_the_way(console: Client) -> None:
    account = first_of_each()
    page = address(account, "change", account.pk)
    fields = {"name": "A", "timezone": "UTC", "payment_method": "bank_transfer", "billing_country": "DE"}

    wrong = console.post(page, {**fields, "tax_id": "DE136695978"})

    assert wrong.status_code == 200
    assert "VAT number of Germany" in wrong.context["adminform"].form.errors["tax_id"][0]
    assert Account.objects.get(pk=account.pk).tax_id == account.tax_id
    Account.objects.filter(pk=account.pk).update(tax_id="DE136695978", billing_country="DE")
    assert console.post(page, {**fields, "tax_id": "DE136695978"}).status_code == 302


WRONG_CODES = [("iban", "DE5112345678901"), ("iban", "GB29NWBK60161331926818"), ("swift_code", "ABC")]


@pytest.mark.parametrize(("field", "value"), WRONG_CODES)
def test_account_numbers_that_the_api_refuses_are_not_saved_either(console: Client, field: str, value: str) -> None:
    method = make.payment_method()
    form = {"country_code": "DE", "payment_method": "bank_transfer", "display_name": "Bank", "sort_order": 3}

    wrong = console.post(address(method, "change", method.pk), {**form, field: value})

    assert wrong.status_code == 200
    assert list(wrong.context["adminform"].form.errors) == [field]
    method.refresh_from_db()
    assert (method.display_name, getattr(method, field)) != ("Bank", value)
    # The samples of the first start hold numbers of nobody's, and can be corrected in parts.
    type(method).objects.filter(pk=method.pk).update(**{field: value})
    assert console.post(address(method, "change", method.pk), {**form, field: value}).status_code == 302


def test_an_iban_is_stored_in_one_form_by_the_console_too(console: Client) -> None:
    method = make.payment_method()
    form = {"country_code": "DE", "payment_method": "bank_transfer", "display_name": "Bank", "sort_order": 3}

    console.post(
        address(method, "change", method.pk), {**form, "iban": "de89370400440532013000", "swift_code": "DEUTDEFF"}
    )

    method.refresh_from_db()
    assert (method.iban, method.swift_code) == ("DE89370400440532013000", "DEUTDEFF")


def test_catalogue_in_use_is_kept_with_an_explanation(console: Client) -> None:
    industry = make.site(first_of_each()).industry

    response = console.post(address(industry, "delete", industry.pk), {"post": "yes"})

    assert response.status_code == 200
    assert "protected related objects" in response.content.decode()
    assert Industry.objects.filter(pk=industry.pk).exists()


def test_payment_page_has_no_field_to_fill_in(console: Client) -> None:
    payment = make.submitted_payment()

    response = console.get(address(Payment, "change", payment.pk))

    assert response.context["adminform"].form.fields == {}
