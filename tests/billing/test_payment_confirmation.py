"""Confirming a payment: what is recorded, what is refused, and the methods that a country offers."""

from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from igny8_core.auth.models import PaymentMethodType
from igny8_core.business.billing import errors
from igny8_core.business.billing.models import Invoice, InvoiceStatus
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.common.errors import InvalidInput
from igny8_core.common.money import InvalidAmount
from igny8_core.events.models import Event
from tests import make
from tests.refusals import require_refusal

pytestmark = pytest.mark.django_db

confirm = PaymentService.create_manual_payment


def test_a_confirmation_is_recorded_with_its_event() -> None:
    invoice = make.subscription().invoices.get()
    owner = invoice.account.owner

    payment = confirm(invoice, "bank_transfer", "BT-1", amount=Decimal("89"), notes="Paid", submitted_by=owner)

    assert (payment.status, payment.amount, payment.currency) == ("pending_approval", Decimal("89"), "USD")
    assert (payment.manual_reference, payment.reference_key, payment.manual_notes) == ("BT-1", "bt1", "Paid")
    event = Event.objects.get(type="payment.submitted")
    assert (event.account_id, event.actor_id, event.object_id) == (invoice.account_id, owner.pk, str(payment.pk))
    invoice.refresh_from_db()
    assert invoice.status == "pending"


def test_one_confirmation_waits_per_invoice() -> None:
    payment = make.submitted_payment()

    refused = require_refusal(errors.ConfirmationAlreadyOpen, lambda: confirm(payment.invoice, "bank_transfer", "BT-2"))

    assert refused.http_status == 409


@pytest.mark.parametrize("status", [status for status in InvoiceStatus if status != "pending"])
def test_only_a_pending_invoice_is_confirmed(status: str) -> None:
    invoice = make.subscription().invoices.get()
    paid = {"paid_at": timezone.now(), "settled_amount": invoice.total} if status == "paid" else {}
    Invoice.objects.filter(pk=invoice.pk).update(status=status, **paid)

    require_refusal(errors.InvoiceNotPayable, lambda: confirm(invoice, "bank_transfer", "BT-1"))


@pytest.mark.parametrize("amount", ["88.99", "89.01", "890", "0.01", "-89", "0", "NaN", "89.0001", "sNaN", "Infinity"])
def test_an_amount_that_is_not_due_is_refused(amount: str) -> None:
    invoice = make.subscription().invoices.get()

    refused = require_refusal(
        errors.AmountMismatch, lambda: confirm(invoice, "bank_transfer", "BT-1", amount=Decimal(amount))
    )

    assert refused.errors == {"amount": ["Expected exactly 89.00 USD."]}


@pytest.mark.parametrize("typed", ["89.00", "89", 89.00, 89], ids=repr)
def test_an_amount_typed_by_hand_is_a_number_or_text(typed: Any) -> None:
    invoice = make.subscription().invoices.get()

    assert confirm(invoice, "bank_transfer", "BT-1", amount=typed).amount == Decimal("89.00")


@pytest.mark.parametrize("typed", ["89,00", "89.000", "89.00 USD", "", "8.9e1", "٨٩.00", True, 89.001])
def test_what_is_typed_and_no_amount_is_refused_as_such(typed: Any) -> None:
    invoice = make.subscription().invoices.get()

    require_refusal(InvalidAmount, lambda: confirm(invoice, "bank_transfer", "BT-1", amount=typed))


@pytest.mark.parametrize("reference", ["", " ", "-", "---"])
def test_an_empty_reference_is_refused(reference: str) -> None:
    invoice = make.subscription().invoices.get()

    require_refusal(InvalidInput, lambda: confirm(invoice, "bank_transfer", reference))


@pytest.mark.parametrize("method", ["stripe", "paypal", "manual", "local_wallet", "cash", ""])
def test_a_method_that_is_not_manual_or_not_offered_is_refused(method: str) -> None:
    for known in ("stripe", "paypal"):
        make.payment_method(payment_method=known)
    invoice = make.subscription().invoices.get()

    require_refusal(errors.PaymentMethodNotAvailable, lambda: confirm(invoice, method, "BT-1"))


def test_a_method_hidden_in_the_country_is_refused() -> None:
    make.payment_method()
    make.payment_method(country_code="PK", is_enabled=False)
    invoice = make.invoice(make.owner({"billing_country": "PK"}).account)

    require_refusal(errors.PaymentMethodNotAvailable, lambda: confirm(invoice, "bank_transfer", "BT-1"))


def test_a_stale_copy_of_the_invoice_does_not_count() -> None:
    stale = make.subscription().invoices.get()
    InvoiceService.mark_void(Invoice.objects.get(pk=stale.pk), "Ordered by mistake")

    require_refusal(errors.InvoiceNotPayable, lambda: confirm(stale, "bank_transfer", "BT-1"))


# --- Methods by country -------------------------------------------------------------------------------------------


def offered(country: str = "") -> list[tuple[str, str]]:
    methods = PaymentService.get_available_payment_methods(country)
    return [(method.payment_method, method.country_code) for method in methods]


def test_a_countrys_row_replaces_the_global_one_and_a_disabled_one_hides_it() -> None:
    make.payment_method(sort_order=3)
    make.payment_method(payment_method="stripe", sort_order=1)
    make.payment_method(country_code="US", sort_order=5)
    make.payment_method(country_code="DE", is_enabled=False)
    make.payment_method(country_code="PK", payment_method="local_wallet", sort_order=2)

    assert offered() == [("stripe", "*"), ("bank_transfer", "*")]
    assert offered("FR") == [("stripe", "*"), ("bank_transfer", "*")]
    assert offered("US") == [("stripe", "*"), ("bank_transfer", "US")]
    assert offered("DE") == [("stripe", "*")]
    assert offered("PK") == [("stripe", "*"), ("local_wallet", "PK"), ("bank_transfer", "*")]


def test_a_disabled_global_row_can_be_offered_in_one_country() -> None:
    make.payment_method(is_enabled=False)
    make.payment_method(country_code="US")

    assert offered() == offered("FR") == []
    assert offered("US") == [("bank_transfer", "US")]


def test_methods_stand_in_sort_order() -> None:
    for order, method in enumerate(reversed(PaymentMethodType.values)):
        make.payment_method(payment_method=method, sort_order=order)

    assert [method for method, _ in offered()] == list(reversed(PaymentMethodType.values))
