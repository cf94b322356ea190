"""Renewals and changes of price in the console."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from igny8_core.auth.models import Subscription
from igny8_core.business.billing.models import PlanPriceChange, Renewal
from igny8_core.business.billing.services.invoices.lifecycle import mark_void
from tests import make
from tests.admin.samples import operator_with
from tests.rows import now

pytestmark = pytest.mark.django_db
RENEWALS, PRICES = "/admin/billing/renewal/", "/admin/billing/planpricechange/"


def test_those_that_are_due_are_filtered(console: Client) -> None:
    ahead, behind = make.renewal(), make.renewal()
    Renewal.objects.filter(pk=behind.pk).update(period_start=timezone.now() - timedelta(days=1))

    for timing, shown in [("ahead", ahead), ("behind", behind)]:
        page = console.get(RENEWALS, {"timing": timing})
        assert [row.pk for row in page.context["cl"].result_list] == [shown.pk]


def test_a_voided_one_is_invoiced_again_by_the_button(console: Client) -> None:
    renewal = make.renewal()
    Subscription.objects.update(current_period_end=timezone.now() + timedelta(days=3))
    Renewal.objects.update(period_start=Subscription.objects.get().current_period_end)
    mark_void(renewal.invoice, "Wrong address")

    assert f"{RENEWALS}{renewal.pk}/retry/" in console.get(f"{RENEWALS}{renewal.pk}/change/").content.decode()
    console.post(f"{RENEWALS}{renewal.pk}/retry/", {"_form_submitted": "True"})

    again = Renewal.objects.select_related("invoice").get()
    assert (again.status, again.invoice.status, again.invoice_id != renewal.invoice_id) == ("open", "pending", True)


def test_the_button_needs_its_permission_and_goes_when_the_period_has_begun(console: Client, client: Client) -> None:
    renewal = make.renewal()
    client.force_login(operator_with("billing.view_renewal"))
    address = f"{RENEWALS}{renewal.pk}/"

    assert f"{address}retry/" not in client.get(f"{address}change/").content.decode()
    assert client.post(f"{address}retry/", {"_form_submitted": "True"}).status_code == 403
    Renewal.objects.update(status="begun", begun_at=timezone.now())
    assert f"{address}retry/" not in console.get(f"{address}change/").content.decode()


def order(console: Client, **inputs: str) -> list[str]:
    """What the console says to a change of price."""
    day = f"{timezone.now() + timedelta(days=60):%Y-%m-%d}"
    values = {"plan_slug": "starter", "price": "99.00", "effective_on": day, "notice_days": "30", **inputs}
    response = console.post(f"{PRICES}order/", {"_form_submitted": "True", **values}, follow=True)
    return [str(message) for message in response.context.get("messages", [])]


def test_a_price_is_changed_in_a_dialog(console: Client) -> None:
    make.plan()
    assert f"{PRICES}order/" in console.get(PRICES).content.decode()

    said = order(console)

    change = PlanPriceChange.objects.get()
    assert (change.price, change.currency, change.notice_days) == (Decimal("99.00"), "USD", 30)
    assert change.created_by is not None
    assert "Ordered" in said[0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"price": "0"},
        {"price": "99.999"},
        {"effective_on": "2020-01-01"},
        {"effective_on": "soon"},
        {"notice_days": "3"},
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(console: Client, wrong: dict[str, str]) -> None:
    make.plan()

    order(console, **wrong)

    assert not PlanPriceChange.objects.exists()


def test_a_price_is_withdrawn_by_the_button_until_its_day(console: Client) -> None:
    make.plan()
    order(console)
    change = PlanPriceChange.objects.get()
    page, button = f"{PRICES}{change.pk}/change/", f"{PRICES}{change.pk}/withdraw/"
    assert button in console.get(page).content.decode()

    answer = console.post(button, {"_form_submitted": "True"}, follow=True)

    assert "Withdrawn. Customers who are told: 0." in answer.content.decode()
    assert now(change).withdrawn_by is not None
    assert button not in console.get(page).content.decode()


def test_who_may_only_look_cannot_change_a_price(client: Client) -> None:
    make.plan()
    client.force_login(operator_with("billing.view_planpricechange"))

    assert f"{PRICES}order/" not in client.get(PRICES).content.decode()
    assert client.post(f"{PRICES}order/", {"_form_submitted": "True"}).status_code == 403
    assert now(make.plan()).price == Decimal("89.00")
