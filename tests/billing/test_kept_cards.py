"""A card that was entered to pay an invoice, and that its customer agreed to have saved, pays the renewals."""

from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection, connections

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Account
from igny8_core.business.account_deletion.service import delete_account
from igny8_core.business.billing import errors
from igny8_core.business.billing.models import AccountPaymentMethod, Invoice, Payment, Renewal
from igny8_core.business.billing.services.payment_methods import kept_cards
from igny8_core.business.billing.services.payment_methods.kept_cards import renewals_need_card_of
from igny8_core.business.billing.services.payment_methods.saved import make_default, remove_method, use_method
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.payments.checkout import charge_saved_card
from igny8_core.business.billing.services.renewals.charging import charge_due_renewals
from igny8_core.events.deliveries import deliver_due, deliver_others
from igny8_core.events.models import Delivery, Event
from tests import make
from tests.billing.renewing import END, NEXT_END, START, WEEK_BEFORE, at, renewal_of, require_sound_at, running, work_at
from tests.rows import now

pytestmark = pytest.mark.django_db


def by_card(invoice: Invoice) -> Invoice:
    """The invoice, of an account that has chosen to pay by card and has saved none."""
    use_method(invoice.account, "stripe", "Card")
    return invoice


def enter(stripe: FakeStripe, invoice: Invoice, card: str = "pm_card_visa", *, save_card: bool = True) -> Payment:
    """The customer enters a card in the form, and the payment succeeds."""
    attempt = PaymentService.create_stripe_payment(invoice, save_card=save_card)
    assert attempt.charge
    stripe.pay_in_browser(attempt.charge.client_secret, card)
    payment = PaymentService.complete_payment(attempt.payment).payment
    assert payment.status == "succeeded"
    return payment


def saved(invoice: Invoice) -> list[AccountPaymentMethod]:
    return list(AccountPaymentMethod.objects.filter(account=invoice.account_id, type="stripe").order_by("pk"))


def told(payment: Payment) -> Event:
    return Event.objects.get(type="payment.succeeded", object_id=str(payment.pk))


def test_the_card_that_paid_the_first_invoice_is_saved_and_stays_the_default(
    stripe: FakeStripe, invoice: Invoice
) -> None:
    payment = enter(stripe, by_card(invoice))
    assert [card.gateway_method_id for card in saved(invoice)] == [""]

    deliver_others()

    [card] = saved(invoice)
    assert (card.card_brand, card.card_last4, card.card_exp_month, card.card_exp_year) == ("visa", "4242", 12, 2034)
    assert (card.display_name, card.is_default, card.is_verified, card.is_enabled) == (
        "Visa •••• 4242",
        True,
        True,
        True,
    )
    at_stripe = stripe.one(card.gateway_method_id)
    assert at_stripe["customer"] == Account.objects.get(pk=invoice.account_id).stripe_customer_id
    assert at_stripe["id"] == stripe.one(payment.gateway_object_id)["payment_method"]
    assert Event.objects.get(type="payment_method.added").data["gateway_method_id"] == card.gateway_method_id
    # That the customer agreed is on record with the attempt.
    assert Event.objects.get(type="payment.started").data["saves_card"] is True
    assert charge_saved_card(make.invoice(invoice.account)).payment.status == "succeeded"


def test_a_subscription_that_was_paid_by_card_renews_by_card(stripe: FakeStripe) -> None:
    def sign_up() -> Invoice:
        invoice = make.subscription().invoices.get()
        make.customer_at_stripe(stripe, invoice.account)
        enter(stripe, by_card(invoice))
        deliver_others()
        return invoice

    invoice = at(START, sign_up)
    assert invoice.subscription
    work_at(WEEK_BEFORE)

    assert at(END, charge_due_renewals) == 1

    assert (renewal_of(invoice.subscription).status, now(invoice.subscription).current_period_end) == (
        "begun",
        NEXT_END,
    )
    assert sum(charge["paid"] for charge in stripe.all("charge")) == 2
    require_sound_at(END)


def test_an_account_without_any_default_gets_this_one_and_another_default_stays(
    stripe: FakeStripe, invoice: Invoice
) -> None:
    AccountPaymentMethod.objects.all().delete()
    enter(stripe, invoice)
    deliver_others()
    other = make.subscription().invoices.get()
    make.customer_at_stripe(stripe, other.account)
    enter(stripe, other)
    deliver_others()

    assert [(card.is_default, card.card_last4) for card in saved(invoice)] == [(True, "4242")]
    # The second one ordered by bank transfer: the card is kept and not charged by itself.
    assert [(card.is_default, card.card_last4) for card in saved(other)] == [(False, "4242")]
    assert now(other).account.default_payment_method == "bank_transfer"


def test_a_card_that_nobody_asked_to_save_is_not_saved_and_stripe_is_not_asked(
    stripe: FakeStripe, invoice: Invoice
) -> None:
    payment = enter(stripe, by_card(invoice), save_card=False)
    asked = len(stripe.requests())

    deliver_others()

    assert [card.gateway_method_id for card in saved(invoice)] == [""]
    assert len(stripe.requests()) == asked
    assert stripe.one(payment.gateway_object_id)["setup_future_usage"] is None
    assert "saves_card" not in Event.objects.get(type="payment.started").data


def test_a_repeated_event_saves_the_card_once(stripe: FakeStripe, invoice: Invoice) -> None:
    payment = enter(stripe, by_card(invoice))

    for _ in range(3):
        kept_cards.handle(told(payment))

    assert len(saved(invoice)) == 1
    assert Event.objects.filter(type="payment_method.added").count() == 1


def test_a_gateway_that_does_not_answer_is_asked_again(stripe: FakeStripe, invoice: Invoice) -> None:
    payment = enter(stripe, by_card(invoice))
    of_card = Delivery.objects.get(consumer=kept_cards.CONSUMER, event=told(payment))
    stripe.refuse_next_connections(3, method="GET")

    deliver_others()

    waiting = now(of_card)
    assert (waiting.status, waiting.attempts, saved(invoice)[0].gateway_method_id) == ("waiting", 1, "")
    at(waiting.next_attempt_at, deliver_others)
    assert now(of_card).status == "done"
    assert saved(invoice)[0].card_last4 == "4242"


def test_a_card_that_was_removed_meanwhile_does_not_come_back(stripe: FakeStripe, invoice: Invoice) -> None:
    payment = enter(stripe, by_card(invoice))
    kept_cards.handle(told(payment))
    [card] = saved(invoice)
    remove_method(invoice.account, card.pk, invoice.account.owner)

    # Stripe still has it: the removal is delivered after this.
    kept_cards.handle(told(payment))
    assert saved(invoice) == []
    deliver_due()
    kept_cards.handle(told(payment))

    assert saved(invoice) == []
    assert stripe.one(card.gateway_method_id)["customer"] is None


def test_a_card_that_stripe_has_no_more_or_another_customer_has_is_not_saved(
    stripe: FakeStripe, invoice: Invoice
) -> None:
    payment = enter(stripe, by_card(invoice))
    method = stripe.one(payment.gateway_object_id)["payment_method"]

    with stripe._changing():
        stripe._objects[method]["customer"] = "cus_of_somebody_else"
    kept_cards.handle(told(payment))
    with stripe._changing():
        del stripe._objects[method]
    kept_cards.handle(told(payment))

    assert [card.gateway_method_id for card in saved(invoice)] == [""]


def test_a_deleted_account_gets_no_card(stripe: FakeStripe) -> None:
    account = make.owner().account
    invoice = make.invoice(account)
    make.customer_at_stripe(stripe, account)
    payment = enter(stripe, invoice)
    delete_account(account, account.owner, make.PASSWORD)

    kept_cards.handle(told(payment))

    assert saved(invoice) == []


def test_a_card_that_pays_what_the_saved_one_was_declined_for_takes_its_place(stripe: FakeStripe) -> None:
    subscription = running()
    account = Account.objects.get(pk=subscription.account_id)
    gone = make.saved_card(stripe, account, "pm_card_chargeCustomerFail")
    make_default(account, gone.pk, account.owner)
    work_at(WEEK_BEFORE)
    at(END, charge_due_renewals)
    renewal = renewal_of(subscription)
    assert (renewal.status, renewal.declines) == ("open", 1)
    assert renewals_need_card_of(now(renewal.invoice))

    payment = at(END, enter, stripe, now(renewal.invoice), "pm_card_mastercard")
    at(END, deliver_others)

    new = saved(renewal.invoice)[-1]
    assert (new.card_last4, new.is_default, now(gone).is_default) == ("4444", True, False)
    # Who chooses the other one after that is not overruled by a repeat.
    make_default(account, gone.pk, account.owner)
    kept_cards.handle(told(payment))
    assert (now(new).is_default, now(gone).is_default) == (False, True)


def test_which_invoices_need_their_card_for_later(stripe: FakeStripe, invoice: Invoice) -> None:
    assert not renewals_need_card_of(invoice), "it was ordered by bank"
    by_card(invoice)
    assert renewals_need_card_of(now(invoice))
    assert not renewals_need_card_of(make.invoice(invoice.account)), "it sells no plan"
    make.saved_card(stripe, invoice.account)
    assert not renewals_need_card_of(now(invoice)), "there is a saved card"
    assert not Renewal.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_deliveries_at_once_save_one_card(stripe: FakeStripe) -> None:
    invoice = make.subscription().invoices.get()
    make.customer_at_stripe(stripe, invoice.account)
    payment = enter(stripe, by_card(invoice))
    event, failed = told(payment), list[Exception]()
    both = Barrier(2)

    def deliver(*_: Any) -> None:
        try:
            both.wait(60)
            kept_cards.handle(event)
        except Exception as problem:  # noqa: BLE001 - shown by the test
            failed.append(problem)
        finally:
            connections.close_all()

    threads = [Thread(target=deliver) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []
    assert [card.card_last4 for card in saved(invoice)] == ["4242"]
    assert Event.objects.filter(type="payment_method.added").count() == 1
    with pytest.raises(errors.SavedMethodNotFound):
        remove_method(make.owner().account, saved(invoice)[0].pk, make.operator())


def test_cards_of_payments_before_this_release_are_saved_once_the_migration_has_told(
    stripe: FakeStripe, invoice: Invoice
) -> None:
    from importlib import import_module

    payment = enter(stripe, by_card(invoice))
    unsaved = enter(stripe, make.invoice(invoice.account), save_card=False)
    Delivery.objects.filter(consumer=kept_cards.CONSUMER).delete()

    with connection.cursor() as cursor:
        cursor.execute(import_module("igny8_core.business.billing.migrations.0031_cards_of_before").TELL)

    waiting = Delivery.objects.filter(consumer=kept_cards.CONSUMER).values_list("event", flat=True)
    assert list(waiting) == [told(payment).pk]
    assert told(unsaved).pk not in waiting
    deliver_others()
    assert [card.card_last4 for card in saved(invoice)] == ["4242"]
