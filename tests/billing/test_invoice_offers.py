"""An invoice keeps what it offered: on its documents, and as a way to pay it."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction

from igny8_core.auth.models import Account, User
from igny8_core.business.billing import errors
from igny8_core.business.billing.models import (
    Invoice,
    InvoiceOffer,
    PayeeVersion,
    Payment,
    PaymentMethodConfig,
)
from igny8_core.business.billing.services.invoices import pdf
from igny8_core.business.billing.services.invoices.instructions import PaymentInstructions, all_payment_instructions
from igny8_core.business.billing.services.payment_methods.configuration import (
    configure_payment_method,
    remove_payment_method,
    update_payment_method,
)
from igny8_core.business.billing.services.payment_service import PaymentService
from tests import make

pytestmark = pytest.mark.django_db
OLD, NEW = "1234567890", "6666666666"

Change = Callable[[PaymentMethodConfig, User], object]


def by_the_service(config: PaymentMethodConfig, operator: User) -> None:
    update_payment_method(config, operator, account_number=NEW)


def by_a_shell(config: PaymentMethodConfig, operator: User) -> None:
    config.account_number = NEW
    config.save()


def by_a_query(config: PaymentMethodConfig, operator: User) -> None:
    PaymentMethodConfig.objects.filter(pk=config.pk).update(account_number=NEW)


def by_sql(config: PaymentMethodConfig, operator: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE igny8_payment_method_config SET account_number = %s", [NEW])


def anew(config: PaymentMethodConfig, operator: User) -> None:
    remove_payment_method(config, operator)
    make.payment_method(account_number=NEW)


CHANGES = [by_the_service, by_a_shell, by_a_query, by_sql, anew]


@pytest.fixture
def bank() -> PaymentMethodConfig:
    config = make.payment_method(bank_name="ABC Bank", account_number=OLD, instructions=f"Account: {OLD}\nThank you.")
    config.refresh_from_db()
    return config


def said_by(invoice: Invoice) -> str:
    """All that the documents of an invoice say of paying by bank or wallet."""
    return "\n".join(_as_text(way) for way in all_payment_instructions(Invoice.objects.get(pk=invoice.pk)))


def _as_text(way: PaymentInstructions) -> str:
    return "\n".join([way.method, way.text, *(f"{label}: {value}" for label, value in way.details)])


@pytest.mark.parametrize("change", CHANGES)
def test_an_invoice_keeps_the_details_it_was_issued_with(bank: PaymentMethodConfig, olga: User, change: Change) -> None:
    before = make.invoice()

    change(bank, olga)
    after = make.invoice()

    assert (said_by(before).count(OLD), said_by(before).count(NEW)) == (1, 0)
    assert (said_by(after).count(OLD), said_by(after).count(NEW)) == (0, 1)


def test_the_pdf_of_an_invoice_keeps_them_too(
    bank: PaymentMethodConfig, olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = make.invoice()
    by_the_service(bank, olga)
    drawn: list[str] = []
    monkeypatch.setattr(pdf, "showable", lambda text: drawn.append(text) or text)

    pdf.render_invoice(Invoice.objects.get(pk=invoice.pk))

    assert OLD in drawn[0]
    assert NEW not in drawn[0]


def paused(config: PaymentMethodConfig) -> None:
    PaymentMethodConfig.objects.update(is_enabled=False)


def removed(config: PaymentMethodConfig) -> None:
    config.delete()


def country_corrected(config: PaymentMethodConfig) -> None:
    Account.objects.update(billing_country="GB")


def hidden_in_the_country(config: PaymentMethodConfig) -> None:
    make.payment_method(country_code="PK", payment_method="bank_transfer", is_enabled=False)
    PaymentMethodConfig.objects.filter(pk=config.pk).update(country_code="BD")


@pytest.mark.parametrize("later", [paused, removed, country_corrected, hidden_in_the_country])
def test_what_an_invoice_offered_can_be_confirmed(later: Callable[[PaymentMethodConfig], None]) -> None:
    wallet = make.payment_method(
        country_code="PK", payment_method="local_wallet", display_name="JazzCash", wallet_id="03001234567"
    )
    customer = make.owner({"billing_country": "PK", "payment_method": "local_wallet"})
    invoice = make.invoice(customer.account)

    later(wallet)
    payment = PaymentService.create_manual_payment(
        Invoice.objects.get(pk=invoice.pk), "local_wallet", "JC-1", submitted_by=customer
    )

    assert payment.status == "pending_approval"
    assert said_by(invoice).count("03001234567") == 1


def test_what_is_offered_since_can_be_confirmed_too_and_what_never_was_is_refused() -> None:
    make.payment_method()
    invoice = make.invoice()

    with pytest.raises(errors.PaymentMethodNotAvailable):
        PaymentService.create_manual_payment(invoice, "local_wallet", "1")
    assert not Payment.objects.exists()
    make.payment_method(payment_method="local_wallet", display_name="Wallet")

    assert PaymentService.create_manual_payment(invoice, "local_wallet", "1").status == "pending_approval"


def test_offers_are_written_with_the_invoice_in_the_order_in_which_they_are_shown() -> None:
    make.payment_method(payment_method="stripe", display_name="Card", sort_order=2)
    make.payment_method(payment_method="paypal", display_name="PayPal", sort_order=1)
    make.payment_method(sort_order=3, account_number=OLD)
    make.payment_method(payment_method="local_wallet", display_name="Off", is_enabled=False)

    offers = InvoiceOffer.objects.filter(invoice=make.invoice())

    assert [(offer.position, offer.payment_method, bool(offer.payee_version)) for offer in offers] == [
        (1, "paypal", False),
        (2, "stripe", False),
        (3, "bank_transfer", True),
    ]


def test_offers_take_two_statements_once_a_version_is_there(
    bank: PaymentMethodConfig, statements: list[str], account_a: Account
) -> None:
    make.invoice(account_a)
    statements.clear()

    make.invoice(account_a)

    assert len([sql for sql in statements if "payment_method_config" in sql or "invoice_offers" in sql]) == 2


def test_an_invoice_that_stripe_collects_offers_nothing(bank: PaymentMethodConfig) -> None:
    invoice = make.invoice(stripe_invoice_id="in_1")

    assert not InvoiceOffer.objects.exists()
    assert all_payment_instructions(invoice) == []


def test_an_invoice_without_a_record_says_what_is_offered_today() -> None:
    invoice = make.invoice()
    make.payment_method(account_number=OLD)

    assert OLD in said_by(invoice)


def test_a_version_is_made_once_per_change_of_details(olga: User) -> None:
    config = configure_payment_method(
        olga, country_code="PK", payment_method="bank_transfer", display_name="Bank", account_number=OLD
    )
    update_payment_method(config, olga, display_name="Transfer", is_enabled=False)
    update_payment_method(config, olga, account_number=NEW)

    versions = PayeeVersion.objects.order_by("pk")
    assert [version.account_number for version in versions] == [OLD, NEW]
    assert {version.created_by for version in versions} == {olga}
    config.refresh_from_db()
    assert config.payee_version == versions[1]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE igny8_payee_versions SET account_number = '0'",
        "DELETE FROM igny8_payee_versions",
        "UPDATE igny8_invoice_offers SET display_name = 'Other'",
        "DELETE FROM igny8_invoice_offers",
    ],
)
def test_what_was_offered_cannot_be_changed_afterwards(bank: PaymentMethodConfig, sql: str) -> None:
    make.invoice()

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.parametrize("method", ["stripe", "local_wallet"])
def test_bank_and_wallet_have_details_and_gateways_have_none(bank: PaymentMethodConfig, method: str) -> None:
    invoice = make.invoice()
    version = PayeeVersion.objects.get() if method == "stripe" else None
    shown = {"position": 2, "country_code": "*", "display_name": "Way", "config_id": bank.pk}

    with pytest.raises(IntegrityError, match="payee_unless_gateway"), transaction.atomic():
        InvoiceOffer.objects.create(invoice=invoice, payment_method=method, payee_version=version, **shown)
