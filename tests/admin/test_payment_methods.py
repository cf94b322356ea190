"""Payment methods in the console: what an edit does to details, and the samples that nobody has replaced."""

import re
from html import unescape
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from igny8_core.auth.models import User
from igny8_core.business.billing.models import PAYEE_DETAILS, PayeeVersion, PaymentMethodConfig
from igny8_core.business.billing.payees import instructions_of
from igny8_core.business.billing.services.invoices.instructions import all_payment_instructions
from igny8_core.business.billing.services.notifications import mails
from igny8_core.events.models import Event
from tests import make
from tests.admin.samples import operator_with

pytestmark = pytest.mark.django_db


def edited(config: PaymentMethodConfig, **fields: str) -> dict[str, str]:
    """The console's form of a payment method, with some of its fields changed."""
    names = ("country_code", "payment_method", "display_name", "instructions", *PAYEE_DETAILS)
    shown = {name: getattr(config, name) for name in names}
    return {**shown, "sort_order": str(config.sort_order), "is_enabled": "on", **fields}


def test_console_changes_of_details_keep_the_old_ones_and_are_told_like_the_api_s(console: Client, olga: User) -> None:
    config = make.payment_method(bank_name="ABC Bank", account_number="1234567890")
    before = make.invoice()
    page = reverse("admin:billing_paymentmethodconfig_change", args=[config.pk])

    saved = console.post(page, edited(config, account_number="6666666666"))
    mails.handle(Event.objects.get(type="payment_method_config.updated"))

    assert saved.status_code == 302
    assert ("Account", "1234567890") in all_payment_instructions(before)[0].details
    assert ("Account", "6666666666") in all_payment_instructions(make.invoice())[0].details
    event = Event.objects.get(object_type="billing.paymentmethodconfig")
    assert (event.data["before"], event.data["changed"]) == (
        {"account_number": "1234567890"},
        {"account_number": "6666666666"},
    )
    assert "6666666666" in str(mail.outbox[-1].body)
    assert PayeeVersion.objects.latest("pk").created_by == olga


def test_console_adds_and_deletes_payment_methods_through_the_service(console: Client) -> None:
    wallet = PaymentMethodConfig(
        country_code="PK", payment_method="local_wallet", display_name="JazzCash", wallet_id="0300"
    )

    added = console.post(reverse("admin:billing_paymentmethodconfig_add"), edited(wallet, instructions="Wallet: 0300"))
    config = PaymentMethodConfig.objects.get()
    deleted = console.post(reverse("admin:billing_paymentmethodconfig_delete", args=[config.pk]), {"post": "yes"})

    assert (added.status_code, deleted.status_code) == (302, 302)
    assert config.instructions == ""
    assert config.payee_version
    assert not PaymentMethodConfig.objects.exists()
    types = (
        Event.objects.filter(object_type="billing.paymentmethodconfig").order_by("pk").values_list("type", flat=True)
    )
    assert [*types] == ["payment_method_config.created", "payment_method_config.deleted"]


def test_console_refuses_the_details_that_the_api_refuses(console: Client, defaults: None) -> None:
    config = PaymentMethodConfig.objects.get(country_code="*", payment_method="bank_transfer")
    page = reverse("admin:billing_paymentmethodconfig_change", args=[config.pk])

    answer = console.post(page, edited(config, account_number="6666666666", instructions="Not to 1234567890 any more."))

    assert set(answer.context["adminform"].form.errors) == {"instructions", "swift_code"}
    config.refresh_from_db()
    assert (config.account_number, config.is_sample) == ("1234567890", True)


def test_a_red_card_counts_the_samples_until_they_are_replaced(console: Client, defaults: None, settings: Any) -> None:
    assert "Customers see sample bank or wallet details" in console.get(reverse("admin:index")).content.decode()
    settings.OFFER_SAMPLE_PAYEES = False

    page = console.get(reverse("admin:index"))

    [card] = [card for card in page.context["cards"] if card.title == "Payment methods to set up"]
    assert (card.figure, card.tone) == ("12", "danger")
    assert console.get(card.href).status_code == 200
    PaymentMethodConfig.objects.filter(is_sample=True).update(is_enabled=False)
    assert "Payment methods to set up" not in console.get(reverse("admin:index")).content.decode()


LIST = reverse("admin:billing_paymentmethodconfig_changelist")


def switch(browser: Client, config: PaymentMethodConfig, on: str, **more: str) -> Any:
    return browser.post(f"{LIST}{config.pk}/switch/", {"on": on, **more}, follow=True)


def test_list_is_grouped_by_country_and_switched_in_place(console: Client, defaults: None) -> None:
    groups = console.get(LIST).context["countries"]
    wallet = PaymentMethodConfig.objects.get(country_code="PK", payment_method="local_wallet")

    off = switch(console, wallet, "0").content.decode()

    assert [group.name for group in groups][:2] == ["All other countries", "Bangladesh"]
    assert [row.config.payment_method for row in groups[0].rows] == ["stripe", "paypal", "bank_transfer"]
    assert "is not offered any more." in off
    assert Event.objects.latest("pk").data["changed"] == {"is_enabled": False}
    switch(console, wallet, "1")
    wallet.refresh_from_db()
    assert wallet.is_enabled


def test_the_last_method_of_a_country_is_asked_about_first(console: Client) -> None:
    config = make.payment_method()

    asked = switch(console, config, "0")
    config.refresh_from_db()
    still = config.is_enabled
    switch(console, config, "0", sure="1")

    assert "It is the last way to pay in: All other countries." in asked.content.decode()
    config.refresh_from_db()
    assert (still, config.is_enabled) == (True, False)


def test_who_may_only_see_methods_finds_no_switch(client: Client) -> None:
    config = make.payment_method()
    client.force_login(operator_with("billing.view_paymentmethodconfig"))

    assert 'role="switch"' not in client.get(LIST).content.decode()
    assert switch(client, config, "0").status_code == 403


def test_placeholders_become_the_invoice_s_and_unknown_ones_are_refused(console: Client) -> None:
    config = make.payment_method(bank_name="ABC Bank", account_number="1234567890")
    page = reverse("admin:billing_paymentmethodconfig_change", args=[config.pk])

    wrong = console.post(page, edited(config, instructions="Send {amout}."))
    console.post(page, edited(config, instructions="Send {amount} with {invoice_number} by {due_date}."))
    invoice = make.invoice()
    shown = console.get(page).content.decode()
    picture = console.get(reverse("admin:billing_paymentmethodconfig_preview", args=[config.pk]))

    assert "{amout} stands for nothing." in str(wrong.context["adminform"].form.errors["instructions"])
    said = all_payment_instructions(invoice)[0].text
    assert said.startswith(f"Send 89.00 USD with {invoice.invoice_number} by ")
    assert shown.count("Send 89.00 USD with INV-0-") == 2
    [frame] = re.findall(r'<iframe sandbox srcdoc="([^"]*)"', shown)
    payment_page = unescape(frame)
    assert '<h2 id="first-way">Pay by Bank Transfer</h2>' in payment_page
    assert 'data-copy="1234567890"' in payment_page
    assert "<form" not in payment_page
    assert picture.content.startswith(b"\xff\xd8")
    config.refresh_from_db()
    assert "Send the amount of your invoice with the number of your invoice" in instructions_of(config)


def test_a_country_is_chosen_by_its_name(console: Client) -> None:
    add = console.get(reverse("admin:billing_paymentmethodconfig_add")).content.decode()

    assert '<option value="PK">Pakistan</option>' in add
    assert '<option value="*">All other countries</option>' in add


def parts(answer: Any) -> dict[str, bool]:
    """Which parts of a method's form the server shows."""
    fieldsets = answer.context["adminform"].fieldsets
    return {title: "console-hidden" not in options["classes"] for title, options in fieldsets if "classes" in options}


def test_the_server_shows_the_fields_of_the_chosen_method_alone(console: Client) -> None:
    config = make.payment_method(payment_method="local_wallet", wallet_id="0300")
    page = reverse("admin:billing_paymentmethodconfig_change", args=[config.pk])

    assert parts(console.get(reverse("admin:billing_paymentmethodconfig_add"))) == {"Bank": True, "Wallet": True}
    assert parts(console.get(page)) == {"Bank": False, "Wallet": True}
    # What is filled in stays in view, because it is saved too.
    wrong = edited(config, payment_method="bank_transfer", sort_order="x")
    assert parts(console.post(page, wrong)) == {"Bank": True, "Wallet": True}
    assert parts(console.post(page, {**wrong, "wallet_id": "", "wallet_type": ""})) == {"Bank": True, "Wallet": False}
    assert parts(console.post(page, {**wrong, "payment_method": "stripe", "wallet_id": "", "wallet_type": ""})) == {
        "Bank": False, "Wallet": False,
    }  # fmt: skip
