"""An account is deleted: its customer at Stripe goes too, whatever happens on the way."""

import pytest
from django.test import Client
from django.urls import reverse

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.admin.metrics import Figures
from igny8_core.auth.errors import AccountDeleted
from igny8_core.auth.models import Account, User
from igny8_core.business.account_deletion.service import delete_account
from igny8_core.business.billing import tasks
from igny8_core.business.billing.gateways import turnstile
from igny8_core.business.billing.models import Payment
from igny8_core.business.billing.services.invoices.lifecycle import mark_void
from igny8_core.business.billing.services.payment_methods import gateway_customers
from igny8_core.business.billing.services.payment_methods.gateway_customers import CONSUMER, RELEASED, customer_of
from igny8_core.common import clock
from igny8_core.events.deliveries import BACK_OFF, deliver_due, retry
from igny8_core.events.models import Delivery, DeliveryStatus, Event
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(stripe: FakeStripe, alice: User) -> Account:
    """An account with a customer, a saved card and a subscription that Stripe alone knows of."""
    assert alice.account
    card = make.saved_card(stripe, alice.account).gateway_method_id
    alice.account.refresh_from_db()
    stripe.make_subscription(alice.account.stripe_customer_id, card, amount=8900)
    return alice.account


def erasure() -> Delivery:
    return Delivery.objects.get(consumer=CONSUMER)


def at_stripe(stripe: FakeStripe, account: Account) -> bool:
    return not stripe.one(account.stripe_customer_id).get("deleted", False)


def try_again() -> None:
    Delivery.objects.filter(consumer=CONSUMER, status="waiting").update(next_attempt_at=clock.now())
    deliver_due()


def figures() -> dict[str, float]:
    return {family.name: family.samples[0].value for family in Figures().collect() if "erase" in family.name}


def test_name_address_cards_and_subscriptions_are_gone(stripe: FakeStripe, account: Account, alice: User) -> None:
    asked = len(stripe.requests())

    delete_account(account, alice, make.PASSWORD)

    assert len(stripe.requests()) == asked
    assert figures() == {"igny8_customers_to_erase": 1, "igny8_customers_not_erased": 0}
    deliver_due()
    assert stripe.one(account.stripe_customer_id) == {
        "id": account.stripe_customer_id,
        "object": "customer",
        "deleted": True,
    }
    assert {method["customer"] for method in stripe.all("payment_method")} == {None}
    assert {subscription["status"] for subscription in stripe.all("subscription")} == {"canceled"}
    assert {delivery.status for delivery in Delivery.objects.exclude(consumer="email")} == {DeliveryStatus.DONE}
    assert figures() == {"igny8_customers_to_erase": 0, "igny8_customers_not_erased": 0}


def test_an_account_without_a_customer_orders_nothing(alice: User, stripe: FakeStripe) -> None:
    assert alice.account
    delete_account(alice.account, alice, make.PASSWORD)

    assert not Event.objects.filter(type=RELEASED).exists()


@pytest.mark.parametrize("gone", ["erased", "unknown"])
def test_a_customer_that_is_gone_counts_as_erased(stripe: FakeStripe, account: Account, alice: User, gone: str) -> None:
    if gone == "unknown":
        Account.objects.filter(pk=account.pk).update(stripe_customer_id="cus_of_another_key")
    else:
        stripe.delete_customer(account.stripe_customer_id, {})

    delete_account(account, alice, make.PASSWORD)
    deliver_due()

    assert erasure().status == DeliveryStatus.DONE


def test_a_lost_answer_is_asked_again_and_the_repeat_finds_it_done(
    stripe: FakeStripe, account: Account, alice: User
) -> None:
    delete_account(account, alice, make.PASSWORD)
    stripe.lose_next_answers(3, path="/v1/customers")

    deliver_due()
    assert (erasure().status, erasure().attempts) == (DeliveryStatus.WAITING, 1)
    assert not at_stripe(stripe, account)
    try_again()

    assert erasure().status == DeliveryStatus.DONE


def test_what_is_given_up_is_seen_and_can_be_tried_again(
    stripe: FakeStripe, account: Account, alice: User, olga: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Days pass between the tries here, so Stripe is not left alone for some seconds.
    monkeypatch.setattr(turnstile, "FAILURES_BEFORE_REST", 100)
    delete_account(account, alice, make.PASSWORD)
    stripe.answer_next(500, 3 * (len(BACK_OFF) + 1), path="/v1/customers")

    for _ in range(len(BACK_OFF) + 1):
        try_again()

    assert erasure().status == DeliveryStatus.DEAD
    assert figures() == {"igny8_customers_to_erase": 0, "igny8_customers_not_erased": 1}
    client.force_login(olga)
    given_up = client.get(reverse("admin:events_delivery_changelist"), {"status__exact": "dead"})
    assert RELEASED in given_up.content.decode()
    retry(erasure())
    try_again()
    assert not at_stripe(stripe, account)


def test_a_payment_under_way_is_decided_first(stripe: FakeStripe, account: Account, alice: User) -> None:
    """None can be when the account is deleted; a release that did not know could leave one."""
    payment = make.submitted_payment(make.invoice(account))
    Payment.objects.filter(pk=payment.pk).update(status="failed")
    mark_void(payment.invoice, "Ordered by mistake", alice)
    delete_account(account, alice, make.PASSWORD)
    Payment.objects.filter(pk=payment.pk).update(status="pending_approval")

    deliver_due()

    assert at_stripe(stripe, account)
    assert erasure().last_error.startswith("payment_being_checked")
    Payment.objects.filter(pk=payment.pk).update(status="failed")
    try_again()
    assert not at_stripe(stripe, account)


def test_a_customer_that_is_made_while_the_account_is_deleted_is_erased(
    stripe: FakeStripe, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = alice.account
    assert account
    keep = gateway_customers._keep

    def delete_and_keep(*given: object) -> str:
        delete_account(account, alice, make.PASSWORD)
        return keep(*given)

    monkeypatch.setattr(gateway_customers, "_keep", delete_and_keep)

    with pytest.raises(AccountDeleted):
        customer_of(Account.objects.get(pk=account.pk))
    deliver_due()

    assert [customer.get("deleted") for customer in stripe.all("customer")] == [True]


def test_of_two_customers_that_were_made_at_once_one_stays(
    stripe: FakeStripe, account_a: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = gateway_customers._keep

    def rename_and_keep(account: Account, customer_id: str) -> str:
        monkeypatch.setattr(gateway_customers, "_keep", keep)
        other = Account.objects.get(pk=account.pk)
        other.name = "Renamed"
        customer_of(other)
        return keep(account, customer_id)

    monkeypatch.setattr(gateway_customers, "_keep", rename_and_keep)

    kept = customer_of(account_a)
    deliver_due()

    assert {customer["id"]: customer.get("deleted", False) for customer in stripe.all("customer")}[kept] is False
    assert sorted(customer.get("deleted", False) for customer in stripe.all("customer")) == [False, True]


def test_accounts_that_were_deleted_before_are_made_up_for_once(stripe: FakeStripe, account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(status="canceled", deleted_at=clock.now())

    tasks.release_left_customers()
    tasks.release_left_customers()
    deliver_due()

    assert not at_stripe(stripe, account)
    assert Event.objects.filter(type=RELEASED).count() == 1


def test_the_gateway_is_not_asked_where_it_has_no_keys(account: Account, alice: User, settings: object) -> None:
    settings.STRIPE = None  # type: ignore[attr-defined]

    delete_account(account, alice, make.PASSWORD)
    deliver_due()

    assert erasure().last_error.startswith("gateway_not_configured")
