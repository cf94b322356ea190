"""The console's first page, its sidebar, and the policy that its pages are sent with."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from igny8_core.admin.dashboard import Listing
from igny8_core.auth.models import Subscription, User
from igny8_core.business.billing.models import Payment, PaymentMethodConfig
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.common import clock
from igny8_core.console.charts import Point, chart_of
from tests import make
from tests.admin.samples import first_of_each, one_of_each, operator_with

pytestmark = pytest.mark.django_db


def figures(browser: Client) -> dict[str, tuple[str, str]]:
    """Title of each card with its figure and the line under it."""
    cards = browser.get(reverse("admin:index")).context["cards"]
    return {card.title.partition(" in ")[0]: (card.figure, card.detail) for card in cards}


def lists(browser: Client) -> dict[str, Listing]:
    return {shown.title: shown for shown in browser.get(reverse("admin:index")).context["lists"]}


def charts(browser: Client) -> dict[str, list[tuple[str, ...]]]:
    """Title of each chart with the rows of its table."""
    drawn = browser.get(reverse("admin:index")).context["charts"]
    return {chart.title: [(bar.point.name, bar.point.text, *bar.point.cells) for bar in chart.bars] for chart in drawn}


def test_cards_show_how_business_stands(console: Client, olga: User) -> None:
    waiting = make.submitted_payment()
    Payment.objects.filter(pk=waiting.pk).update(created_at=timezone.now() - timedelta(hours=5))
    PaymentService.approve_manual_payment(make.submitted_payment(), olga)
    clock.stand_at(clock.now().replace(day=1) - timedelta(days=1))
    PaymentService.approve_manual_payment(make.submitted_payment(), olga)
    clock.stand_at(None)
    PaymentService.process_refund(Payment.objects.latest("pk"), Decimal("9.50"), reason="Goodwill", refunded_by=olga)
    late = make.running_subscription(make.plan("yearly", price=Decimal(1200), billing_cycle="annual", currency="EUR"))
    Subscription.objects.filter(pk=late.pk).update(status="past_due")

    shown = figures(console)

    assert shown["Payments to approve"] == ("1", "The oldest has waited for 5\xa0hours")
    assert shown["Revenue"] == ("79.50 USD", "89.00 USD last month")
    assert shown["MRR"] == ("178.00 USD", "100.00 EUR, recurring a month by the terms in force, net of tax")
    assert shown["Active subscriptions"][0] == "2"
    assert shown["Accounts"] == ("4", "1 pending payment, 3 active")
    assert shown["Credits"] == ("1,000", "issued; 0 used, 0 expired, 106 taken back")


def test_first_page_of_an_empty_site_answers(console: Client) -> None:
    shown = figures(console)

    assert shown["Payments to approve"] == ("0", "Nothing to do")
    assert shown["Revenue"][0] == "0"


def test_the_payments_that_wait_longest_are_listed_first(console: Client) -> None:
    payments = [make.submitted_payment() for _ in range(6)]
    Payment.objects.filter(pk=payments[5].pk).update(created_at=timezone.now() - timedelta(days=2))

    listed = lists(console)["Longest waiting payments"]

    order = [payments[5], *payments[:4]]
    assert [row[0].text for row in listed.rows] == [payment.invoice.invoice_number for payment in order]


def test_charts_draw_each_currency_apart_with_a_table_beside(console: Client, olga: User) -> None:
    for slug, currency in (("starter", "USD"), ("yen", "JPY")):
        order = make.subscription(plan_ordered=make.plan(slug, price=Decimal(5000), currency=currency))
        paid = PaymentService.approve_manual_payment(make.submitted_payment(order.invoices.get()), olga).payment
    PaymentService.process_refund(paid, Decimal(1000), reason="Goodwill", refunded_by=olga)

    drawn = charts(console)
    html = console.get(reverse("admin:index")).content.decode()

    assert len(drawn["Revenue by month in USD"]) == 12
    assert drawn["Revenue by month in JPY"][-1][1:] == ("4000 JPY", "1000 JPY")
    assert drawn["Revenue by month in USD"][-1][1:] == ("5000.00 USD", "0.00 USD")
    assert len(drawn["New accounts by week"]) == 12
    assert drawn["New accounts by week"][-1][1] == "2"
    assert drawn["Active subscriptions by plan"] == [("Starter", "1"), ("Yen", "1")]
    assert html.count("<svg viewBox") == len(drawn)


def test_lists_show_what_failed_what_is_late_and_what_operators_did(console: Client, olga: User, alice: User) -> None:
    PaymentService.reject_manual_payment(make.submitted_payment(), "Not seen")
    paid = PaymentService.approve_manual_payment(make.submitted_payment(), olga).payment
    Subscription.objects.filter(status="active").update(status="past_due")
    make.site(alice.account)

    shown = lists(console)

    assert [row[2].text for row in shown["Failed payments"].rows] == ["Not seen"]
    assert [row[0].text for row in shown["Past due subscriptions"].rows] == [paid.account.name]
    assert {row[2].text for row in shown["What operators did today"].rows} == {olga.email}


def test_the_list_behind_failed_payments_has_exactly_those(console: Client) -> None:
    old, new = make.submitted_payment(), make.submitted_payment()
    clock.stand_at(clock.now() - timedelta(days=40))
    PaymentService.reject_manual_payment(old, "Long ago")
    clock.stand_at(None)
    PaymentService.reject_manual_payment(new, "Not seen")

    behind = console.get(lists(console)["Failed payments"].href).context["cl"].result_list

    assert [payment.pk for payment in behind] == [new.pk]


def test_lists_are_narrowed_to_a_time_in_utc(console: Client, alice: User) -> None:
    for day in (1, 2, 3):
        clock.stand_at(datetime(2026, 11, day, tzinfo=UTC))
        make.credits(alice.account, day)
    clock.stand_at(None)
    address = reverse("admin:billing_credittransaction_changelist")

    def shown(**narrowed: str) -> list[int]:
        return [row.amount for row in console.get(address, narrowed).context["cl"].result_list]

    since = {"created_at_from_0": "2026-11-02", "created_at_from_1": "00:00:00"}
    assert shown(**since) == [3, 2]
    assert shown(**since, created_at_to_0="2026-11-02", created_at_to_1="23:59:59") == [2]
    assert shown(created_at_from_0="nonsense", created_at_from_1="00:00:00") == [3, 2, 1]


def test_every_link_of_the_first_page_leads_to_its_list(console: Client, olga: User) -> None:
    PaymentService.reject_manual_payment(make.submitted_payment(), "Not seen")
    PaymentService.approve_manual_payment(make.submitted_payment(), olga)
    make.submitted_payment()
    make.payment_method(is_sample=True)
    Subscription.objects.filter(status="active").update(status="past_due")

    response = console.get(reverse("admin:index"))
    parts = response.context
    addresses = {card.href for card in parts["cards"]}
    addresses |= {shown.href for shown in [*parts["lists"], *parts["charts"]]}
    addresses |= {cell.href for shown in parts["lists"] for row in shown.rows for cell in row if cell.href}

    assert len(addresses) > 15
    for address in sorted(addresses):
        answer = console.get(address, follow=address.endswith("/queue/"))
        assert answer.status_code == 200, address
        # A list that does not know a filter leads to itself with ?e=1.
        assert "e=1" not in str(answer.request["QUERY_STRING"])


@pytest.mark.parametrize("is_offered", [True, False])
def test_samples_that_are_live_are_red(console: Client, settings: Any, is_offered: bool) -> None:
    settings.OFFER_SAMPLE_PAYEES = is_offered
    make.payment_method(is_sample=True)

    card = next(card for card in console.get(reverse("admin:index")).context["cards"] if "set up" in card.title)

    assert (card.tone, card.figure) == ("danger", "1")
    assert ("Customers see sample" in card.detail) is is_offered


def test_first_page_costs_the_same_however_much_there_is(console: Client) -> None:
    first_of_each()
    make.submitted_payment()
    console.get(reverse("admin:index"))  # what is asked once and kept
    with CaptureQueriesContext(connection) as few:
        console.get(reverse("admin:index"))
    for _ in range(3):
        one_of_each()
        make.submitted_payment()

    with CaptureQueriesContext(connection) as many:
        console.get(reverse("admin:index"))

    assert len(many) == len(few)
    assert len(few) <= 22


def test_operator_sees_figures_and_links_only_of_what_they_may_see(client: Client) -> None:
    make.submitted_payment()
    client.force_login(operator_with("igny8_auth.view_subscription"))

    response = client.get(reverse("admin:index"))

    assert [card.title for card in response.context["cards"]] == ["Active subscriptions", "MRR"]
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


def test_bars_below_zero_hang_from_the_line() -> None:
    points = [Point("Jan", Decimal(-50), "-50.00 USD"), Point("Feb", Decimal(150), "150.00 USD"), Point("Mar", 0, "0")]

    below, above, nothing = chart_of("Revenue", ("Month", "Revenue"), points).bars

    # A quarter of the room is below the line.
    assert float(above.height) == 3 * float(below.height)
    assert (float(above.y), float(below.y)) == (0, float(above.height))
    assert float(nothing.height) == 0
    assert chart_of("Nothing", ("Month", "Revenue"), []).bars == []
