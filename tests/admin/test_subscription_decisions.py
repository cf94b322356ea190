"""Operators end and change subscriptions on their page; each button is there only while it can do something."""

from decimal import Decimal

import pytest
from django.test import Client

from igny8_core.auth.models import Role, Subscription, User
from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.events.models import Event
from tests import make
from tests.admin.samples import operator_with
from tests.api.world import fingerprint

pytestmark = pytest.mark.django_db

PAGES = "/admin/igny8_auth/subscription/"
SENT = {"_form_submitted": "True", "reason": "Asked for it by phone"}


@pytest.fixture
def running(olga: User) -> Subscription:
    make.plan("scale", price=Decimal("229.00"))
    subscription = make.subscription()
    PaymentService.approve_manual_payment(make.submitted_payment(subscription.invoices.get()), olga)
    return Subscription.objects.get(pk=subscription.pk)


def buttons(console: Client, subscription: Subscription) -> set[str]:
    page = console.get(f"{PAGES}{subscription.pk}/change/").content.decode()
    return {verb for verb in ("end", "change-plan") if f"{PAGES}{subscription.pk}/{verb}/" in page}


def said(console: Client, subscription: Subscription) -> list[str]:
    return [str(message) for message in console.get(f"{PAGES}{subscription.pk}/change/").context["messages"]]


def test_the_buttons_are_there_while_they_can_do_something(console: Client, running: Subscription) -> None:
    waiting = make.subscription()

    assert buttons(console, running) == {"end", "change-plan"}
    assert buttons(console, waiting) == {"end"}
    Subscription.objects.filter(pk=running.pk).update(billing_driver="stripe", stripe_subscription_id="sub_1")
    assert buttons(console, running) == set()
    Subscription.objects.filter(pk=waiting.pk).update(status="canceled")
    assert buttons(console, waiting) == set()


def test_an_end_with_the_period_and_one_at_once(console: Client, running: Subscription, olga: User) -> None:
    console.post(f"{PAGES}{running.pk}/end/", {**SENT, "at_period_end": "on"})
    running.refresh_from_db()
    assert (running.status, running.cancel_at_period_end) == ("active", True)
    assert said(console, running) == ["The subscription ends with its period."]

    console.post(f"{PAGES}{running.pk}/end/", SENT)
    running.refresh_from_db()
    assert running.status == "canceled"
    assert said(console, running) == ["The subscription has ended."]
    decided = Event.objects.filter(type="subscription.end_decided").order_by("pk")
    assert [(event.actor, event.data["when"]) for event in decided] == [(olga, "period end"), (olga, "now")]


def test_a_larger_plan_is_ordered_with_an_invoice(console: Client, running: Subscription) -> None:
    dialog = console.get(f"{PAGES}{running.pk}/change-plan/").content.decode()
    assert "Scale, 229.00 USD monthly" in dialog

    console.post(f"{PAGES}{running.pk}/change-plan/", {**SENT, "plan_slug": "scale"})

    invoice = Invoice.objects.latest("pk")
    assert said(console, running) == [
        f"The larger plan starts when invoice {invoice.invoice_number} over 140.00 USD is paid."
    ]


def test_what_is_refused_is_said_and_changes_nothing(console: Client, running: Subscription) -> None:
    before = fingerprint()

    console.post(f"{PAGES}{running.pk}/change-plan/", {**SENT, "plan_slug": "starter"})
    assert said(console, running) == ["The account already has this plan. Choose another one."]
    for wrong, sentence in (("", "This field is required."), ("a\u202eb", "U+202E"), ("x" * 501, "At most 500")):
        for verb in ("end", "change-plan"):
            page = console.post(f"{PAGES}{running.pk}/{verb}/", {**SENT, "plan_slug": "scale", "reason": wrong})
            assert sentence in page.content.decode()
    assert fingerprint() == before


@pytest.mark.parametrize(
    ("verb", "missing"), [("end", "end_subscription"), ("change-plan", "change_subscription_plan")]
)
def test_each_decision_needs_its_own_permission(running: Subscription, verb: str, missing: str) -> None:
    others = {"end_subscription", "change_subscription_plan"} - {missing}
    operator, browser = (
        operator_with("igny8_auth.view_subscription", *(f"igny8_auth.{name}" for name in others)),
        Client(),
    )
    browser.force_login(operator)
    before = fingerprint()

    answer = browser.post(f"{PAGES}{running.pk}/{verb}/", {**SENT, "plan_slug": "scale"})

    assert answer.status_code == 403
    assert fingerprint() == before


def test_nobody_decides_for_their_own_account(running: Subscription) -> None:
    browser = Client()
    browser.force_login(make.operator(account=running.account, role=Role.VIEWER))
    before = fingerprint()

    browser.post(f"{PAGES}{running.pk}/end/", SENT)

    assert "account" in said(browser, running)[0]
    assert fingerprint() == before
