"""What was sold is delivered, whatever its slug and name became, and whoever has them now."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.urls import reverse

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Account, Plan, Subscription, Terms, User
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import CreditPackage, Invoice
from igny8_core.business.billing.pricing import package_line, plan_line
from igny8_core.business.billing.services.notifications import mails
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from igny8_core.business.signup.service import register
from igny8_core.events.models import Event
from tests import make

pytestmark = pytest.mark.django_db

PERSON = {"email": "new@example.com", "password": make.PASSWORD, "first_name": "N", "last_name": "P"}
SOLD = Terms(Decimal("229.00"), "USD", "monthly", 4000, credits_rollover=False, max_sites=10, max_users=20)


@pytest.fixture
def scale() -> Plan:
    return make.plan("scale", price=Decimal("229"), included_credits=4000, max_sites=10, max_users=20)


@pytest.fixture
def upgrade(olga: User, scale: Plan) -> Invoice:
    """The invoice of an upgrade from Starter to Scale."""
    ordered = make.subscription()
    PaymentService.approve_manual_payment(make.submitted_payment(ordered.invoices.get()), olga)
    invoice = SubscriptionService.upgrade_subscription(Subscription.objects.get(), scale)
    assert invoice
    return invoice


def by_operator(invoice: Invoice, olga: User, stripe: FakeStripe) -> None:
    PaymentService.approve_manual_payment(make.submitted_payment(invoice), olga)


def by_saved_card(invoice: Invoice, olga: User, stripe: FakeStripe) -> None:
    saved = make.saved_card(stripe, invoice.account).gateway_method_id
    assert PaymentService.create_stripe_payment(invoice, saved).payment.status == "succeeded"


def renamed(plan: Plan) -> None:
    Plan.objects.filter(pk=plan.pk).update(slug=f"{plan.slug}-2026", name=f"{plan.name} 2026")


def reused(plan: Plan) -> None:
    renamed(plan)
    make.plan(plan.slug, price=Decimal("1"), included_credits=1, max_sites=1, max_users=1, is_trial=False)


def repriced(plan: Plan) -> None:
    Plan.objects.filter(pk=plan.pk).update(price=1, included_credits=1, max_sites=0, max_users=1, is_active=False)


def swapped(plan: Plan) -> None:
    other = Plan.objects.exclude(pk=plan.pk).latest("pk")
    for pk, slug in ((plan.pk, "between"), (other.pk, plan.slug), (plan.pk, other.slug)):
        Plan.objects.filter(pk=pk).update(slug=slug)


EDITS = [renamed, reused, repriced, swapped]
PAY = [by_operator, by_saved_card]


def require_delivered(invoice: Invoice, plan: Plan) -> None:
    subscription, account = Subscription.objects.get(), Account.objects.get(pk=invoice.account_id)
    assert (subscription.plan_id, account.plan_id) == (plan.pk, plan.pk)
    assert subscription.terms == SOLD
    assert broken_invariants() == []


@pytest.mark.parametrize("pay", PAY)
@pytest.mark.parametrize("edit", EDITS)
def test_an_upgrade_delivers_the_plan_that_was_ordered(
    upgrade: Invoice, scale: Plan, olga: User, stripe: FakeStripe, edit: Callable[[Plan], None], pay: Any
) -> None:
    edit(scale)

    pay(upgrade, olga, stripe)

    require_delivered(upgrade, scale)


@pytest.mark.parametrize("pay", PAY)
@pytest.mark.parametrize("edit", EDITS)
def test_a_first_order_delivers_the_plan_that_was_ordered(
    scale: Plan, olga: User, stripe: FakeStripe, edit: Callable[[Plan], None], pay: Any
) -> None:
    make.plan()
    invoice = make.subscription(plan_ordered=scale).invoices.get()
    edit(scale)

    pay(invoice, olga, stripe)

    require_delivered(invoice, scale)
    assert Account.objects.get(pk=invoice.account_id).credits == 4000


@pytest.mark.parametrize("pay", PAY)
@pytest.mark.parametrize("changes", [{"slug": "pro-2026"}, {"credits": 1, "valid_days": 1, "price": 1}], ids=str)
def test_a_package_delivers_the_credits_that_were_ordered(
    account_a: Account, olga: User, stripe: FakeStripe, changes: dict[str, Any], pay: Any
) -> None:
    package = make.credit_package()
    invoice = make.invoice(account_a, line_items=[package_line(package)])
    CreditPackage.objects.filter(pk=package.pk).update(**changes)
    make.credit_package(credits=9)

    pay(invoice, olga, stripe)

    assert Account.objects.get(pk=account_a.pk).credits == 2000
    assert Invoice.objects.get(pk=invoice.pk).lines.get().package == package


def test_another_plan_on_the_order_does_not_change_what_was_sold(olga: User, scale: Plan, stripe: FakeStripe) -> None:
    subscription = make.subscription(plan_ordered=scale)
    Subscription.objects.update(plan=make.plan())

    by_operator(subscription.invoices.get(), olga, stripe)

    assert Subscription.objects.get().plan == scale


@pytest.mark.parametrize("edit", [renamed, reused])
@pytest.mark.parametrize("slug", ["free", "gratis"])
def test_a_trial_begins_with_the_marked_plan_whatever_it_is_called(slug: str, edit: Callable[[Plan], None]) -> None:
    trial = make.plan(slug, price=0, included_credits=77, is_trial=True)
    edit(trial)

    signup = register(**PERSON)

    assert (signup.account.plan_id, signup.account.status) == (trial.pk, "trial")
    assert Account.objects.get(pk=signup.account.pk).credits == 77


def test_one_plan_at_most_is_the_trials(client: Any, olga: User) -> None:
    make.plan("free", price=0)
    other = make.plan("other", price=0)
    client.force_login(olga)
    form = {
        "name": "Other", "slug": "other", "price": "0", "currency": "USD", "billing_cycle": "monthly", "features": "",
        "included_credits": 1, "max_sites": 1, "max_users": 1, "is_active": "on", "is_public": "on", "is_trial": "on",
        "sort_order": 0, "stripe_product_id": "", "stripe_price_id": "",
    }  # fmt: skip

    answer = client.post(reverse("admin:igny8_auth_plan_change", args=[other.pk]), form)

    assert "Switch that off there first" in answer.content.decode()
    assert Plan.objects.get(is_trial=True).slug == "free"


# --- In the console, and in mails ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["plan", "package"])
@pytest.mark.parametrize("door", ["page", "list"])
def test_what_is_ordered_is_not_deleted_in_the_console_which_says_why(
    client: Any, olga: User, account_a: Account, kind: str, door: str
) -> None:
    sold: Any = make.plan("growth") if kind == "plan" else make.credit_package()
    make.invoice(account_a, line_items=[plan_line(sold) if kind == "plan" else package_line(sold)])
    client.force_login(olga)
    name = "igny8_auth_plan" if kind == "plan" else "billing_creditpackage"

    if door == "page":
        answer = client.post(reverse(f"admin:{name}_delete", args=[sold.pk]), {"post": "yes"})
    else:
        chosen = {"action": "delete_selected", "_selected_action": [sold.pk], "post": "yes"}
        answer = client.post(reverse(f"admin:{name}_changelist"), chosen, follow=True)

    assert f"{sold} cannot be deleted, because invoices name it" in answer.content.decode()
    assert type(sold).objects.filter(pk=sold.pk).exists()


def test_what_nobody_ordered_is_deleted_in_the_console(client: Any, olga: User) -> None:
    unsold = make.plan("growth")
    client.force_login(olga)

    client.post(reverse("admin:igny8_auth_plan_delete", args=[unsold.pk]), {"post": "yes"})

    assert not Plan.objects.exists()


def test_the_page_of_an_invoice_shows_its_lines(client: Any, olga: User, upgrade: Invoice) -> None:
    client.force_login(olga)

    page = client.get(reverse("admin:billing_invoice_change", args=[upgrade.pk])).content.decode()

    for line in upgrade.lines.all():
        assert line.description in page
        assert f"{line.line_total:.2f} USD" in page


@pytest.mark.parametrize("edit", EDITS)
def test_the_mail_on_a_new_plan_says_what_was_sold(
    upgrade: Invoice, scale: Plan, olga: User, stripe: FakeStripe, edit: Callable[[Plan], None]
) -> None:
    by_operator(upgrade, olga, stripe)
    edit(scale)
    event = Event.objects.get(type="subscription.plan_changed")

    mails.handle(event)

    sent = mail.outbox[-1]
    assert sent.subject == "Your plan is now Scale"
    assert "10 sites, 20 people and 4,000 credits" in " ".join(sent.body.split())
    assert (event.data["to"], event.data["to_id"], event.data["to_name"]) == ("scale", scale.pk, "Scale")


@pytest.mark.parametrize("slug", ["scale", "nowhere"])
def test_an_event_of_before_plans_had_ids_in_them_is_told_as_well(
    upgrade: Invoice, olga: User, stripe: FakeStripe, slug: str
) -> None:
    by_operator(upgrade, olga, stripe)
    event = Event.objects.get(type="subscription.plan_changed")
    event.data = {"from": "starter", "to": slug}

    mails.handle(event)

    assert mail.outbox[-1].subject == f"Your plan is now {'Scale' if slug == 'scale' else slug}"
