"""The console's first page, its sidebar, and the policy that its pages are sent with."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from igny8_core.auth.models import User
from igny8_core.business.billing.models import Payment, PaymentMethodConfig
from igny8_core.business.billing.services.payment_service import PaymentService
from tests import make
from tests.admin.samples import first_of_each, one_of_each, operator_with

pytestmark = pytest.mark.django_db


def figures(browser: Client) -> dict[str, tuple[str, str]]:
    """Title of each card with its figure and the line under it."""
    cards = browser.get(reverse("admin:index")).context["cards"]
    return {card.title.partition(" in ")[0]: (card.figure, card.detail) for card in cards}


def test_cards_show_how_business_stands(console: Client, olga: User) -> None:
    waiting = make.submitted_payment()
    Payment.objects.filter(pk=waiting.pk).update(created_at=timezone.now() - timedelta(hours=5))
    PaymentService.approve_manual_payment(make.submitted_payment(), olga)
    old = PaymentService.approve_manual_payment(make.submitted_payment(), olga).payment
    Payment.objects.filter(pk=old.pk).update(processed_at=timezone.now() - timedelta(days=40))

    shown = figures(console)

    assert shown["Payments to approve"] == ("1", "The oldest has waited for 5\xa0hours")
    assert shown["Revenue"] == ("89.00 USD", "Successful payments, less refunds")
    assert shown["Active subscriptions"][0] == "2"
    assert shown["Accounts"] == ("3", "1 pending payment, 2 active")
    assert shown["Unspent credits"][0] == "2,000"


def test_first_page_of_an_empty_site_answers(console: Client) -> None:
    shown = figures(console)

    assert shown["Payments to approve"] == ("0", "Nothing to do")
    assert shown["Revenue"][0] == "0"


def test_the_payments_that_wait_longest_are_listed_first(console: Client) -> None:
    payments = [make.submitted_payment() for _ in range(6)]
    Payment.objects.filter(pk=payments[5].pk).update(created_at=timezone.now() - timedelta(days=2))

    listed = console.get(reverse("admin:index")).context["waiting"]

    order = [payments[5], *payments[:4]]
    assert [row["invoice"] for row in listed] == [payment.invoice.invoice_number for payment in order]


def test_first_page_costs_the_same_however_much_there_is(console: Client) -> None:
    first_of_each()
    make.submitted_payment()
    with CaptureQueriesContext(connection) as few:
        console.get(reverse("admin:index"))
    for _ in range(3):
        one_of_each()
        make.submitted_payment()

    with CaptureQueriesContext(connection) as many:
        console.get(reverse("admin:index"))

    assert len(many) == len(few)
    assert len(few) <= 13


def test_operator_sees_figures_and_links_only_of_what_they_may_see(client: Client) -> None:
    make.submitted_payment()
    client.force_login(operator_with("igny8_auth.view_subscription"))

    response = client.get(reverse("admin:index"))

    assert [card.title for card in response.context["cards"]] == ["Active subscriptions"]
    html = response.content.decode()
    assert reverse("admin:igny8_auth_subscription_changelist") in html
    assert reverse("admin:billing_payment_changelist") not in html
    assert "INV-" not in html


def test_operator_without_permissions_is_told_so(client: Client) -> None:
    client.force_login(operator_with())

    html = client.get(reverse("admin:index")).content.decode()

    assert "You have no permissions yet" in html


def test_console_may_run_its_theme_and_other_pages_may_not(client: Client) -> None:
    console = client.get(reverse("admin:login")).headers["Content-Security-Policy"]
    elsewhere = client.get("/api/docs/").headers["Content-Security-Policy"]

    assert "script-src 'self' 'unsafe-eval'" in console
    assert "style-src 'self' 'unsafe-inline'" in console
    assert "default-src 'none'" in console
    assert "unsafe" not in elsewhere


def test_edit_of_a_payment_method_counts_at_once(console: Client) -> None:
    method = make.payment_method()
    form = {
        "country_code": "*",
        "payment_method": "bank_transfer",
        "display_name": "Bank Transfer",
        "sort_order": "1",
        "is_enabled": "on",
        "instructions": "Name the invoice.",
    }

    saved = console.post(reverse("admin:billing_paymentmethodconfig_change", args=[method.pk]), form)
    offered = PaymentService.get_available_payment_methods("PK")
    wrong = console.post(
        reverse("admin:billing_paymentmethodconfig_change", args=[method.pk]), {**form, "country_code": "EU"}
    )

    assert saved.status_code == 302
    assert [offer.instructions for offer in offered] == ["Name the invoice."]
    assert "two letters (ISO 3166-1)" in wrong.content.decode()
    assert PaymentMethodConfig.objects.get(pk=method.pk).country_code == "*"
