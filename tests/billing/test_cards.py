"""Saved cards: entered at Stripe, kept here once, and gone at both places when they are removed at either."""

import pytest
from django.db import transaction

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Account, User
from igny8_core.business.account_deletion.service import delete_account
from igny8_core.business.billing import errors
from igny8_core.business.billing.models import AccountPaymentMethod
from igny8_core.business.billing.services.payment_methods import cards
from igny8_core.business.billing.services.payment_methods.cards import begin_card, finish_card, forget_card, save_card
from igny8_core.business.billing.services.payment_methods.saved import (
    add_method,
    make_default,
    remove_method,
    use_method,
)
from igny8_core.events.deliveries import deliver_due
from igny8_core.events.models import Delivery, Event
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def cards_offered(stripe: FakeStripe) -> None:
    make.payment_method(payment_method="stripe", display_name="Card")


def entered(stripe: FakeStripe, owner: User, card: str = "pm_card_visa") -> str:
    """The id of a setup whose card the customer has entered at Stripe."""
    assert owner.account
    setup = begin_card(owner.account, owner)
    stripe.complete_setup(setup.setup_id, card)
    return setup.setup_id


def removal_events() -> list[Event]:
    return list(Event.objects.filter(type="payment_method.removed").order_by("pk"))


def test_a_card_that_was_entered_is_kept_as_brand_and_last_digits(
    stripe: FakeStripe, cards_offered: None, alice: User, account_a: Account
) -> None:
    setup = begin_card(account_a, alice)
    stripe.complete_setup(setup.setup_id)

    saved = finish_card(account_a, setup.setup_id, alice)

    assert setup.client_secret
    assert (saved.type, saved.display_name, saved.is_verified, saved.is_default) == ("stripe", "Visa •••• 4242", 1, 1)
    assert (saved.card_brand, saved.card_last4, saved.card_exp_month, saved.card_exp_year) == ("visa", "4242", 12, 2034)
    assert stripe.one(saved.gateway_method_id)["customer"] == account_a.stripe_customer_id
    account_a.refresh_from_db()
    assert account_a.default_payment_method == "stripe"
    added = Event.objects.get(type="payment_method.added")
    assert (added.actor_id, added.data["gateway_method_id"]) == (alice.pk, saved.gateway_method_id)
    started = Event.objects.get(type="payment_method.setup_started")
    assert (started.actor_id, started.data["setup_id"]) == (alice.pk, setup.setup_id)


def test_message_and_answer_keep_a_card_once(
    stripe: FakeStripe, cards_offered: None, alice: User, account_a: Account
) -> None:
    setup_id = entered(stripe, alice)

    told, answered, again = (
        save_card(setup_id),
        finish_card(account_a, setup_id, alice),
        save_card(setup_id),
    )

    assert told is not None
    assert again is not None
    assert {told.pk, answered.pk, again.pk} == set(AccountPaymentMethod.objects.values_list("pk", flat=True))
    assert Event.objects.filter(type="payment_method.added").count() == 1


def test_the_row_that_stood_for_a_card_is_filled(
    stripe: FakeStripe, cards_offered: None, alice: User, account_a: Account
) -> None:
    ordered = use_method(account_a, "stripe", "Credit/Debit Card (Stripe)")

    saved = finish_card(account_a, entered(stripe, alice), alice)
    second = finish_card(account_a, entered(stripe, alice, "pm_card_mastercard"), alice)

    assert (saved.pk, saved.display_name, saved.is_default) == (ordered.pk, "Visa •••• 4242", True)
    assert (second.display_name, second.is_default) == ("Mastercard •••• 4444", False)
    assert AccountPaymentMethod.objects.count() == 2


def test_a_card_that_waits_for_its_owner_is_not_kept_yet(
    stripe: FakeStripe, cards_offered: None, alice: User, account_a: Account
) -> None:
    setup = begin_card(account_a, alice)
    stripe.complete_setup(setup.setup_id, "pm_card_threeDSecure2Required")

    with pytest.raises(errors.CardSetupIncomplete):
        finish_card(account_a, setup.setup_id, alice)
    told = save_card(setup.setup_id)

    assert told is None
    assert not AccountPaymentMethod.objects.exists()
    stripe.authenticate(setup.setup_id)
    assert finish_card(account_a, setup.setup_id, alice).card_last4 == "3220"


def test_another_accounts_setup_is_as_none(
    stripe: FakeStripe, cards_offered: None, alice: User, account_a: Account, charlie: User
) -> None:
    foreign = entered(stripe, charlie)

    for setup_id in (foreign, "seti_none", ""):
        with pytest.raises(errors.SavedMethodNotFound):
            finish_card(account_a, setup_id, alice)

    assert not AccountPaymentMethod.objects.exists()


def test_a_strangers_setup_is_nothing_to_keep(stripe: FakeStripe, cards_offered: None) -> None:
    stranger = stripe.create_customer({})["id"]
    setup = stripe.create_setup_intent({"customer": stranger})
    stripe.complete_setup(setup["id"])

    assert save_card(setup["id"]) is None
    assert save_card("seti_none") is None


def test_a_card_that_was_given_up_meanwhile_is_not_kept(
    stripe: FakeStripe, cards_offered: None, alice: User, account_a: Account
) -> None:
    setup_id = entered(stripe, alice)
    stripe.detach_payment_method(stripe.one(setup_id)["payment_method"], {})

    with pytest.raises(errors.SavedMethodNotFound):
        finish_card(account_a, setup_id, alice)
    assert save_card(setup_id) is None


def test_no_card_begins_where_cards_are_not_offered(stripe: FakeStripe, alice: User, account_a: Account) -> None:
    with pytest.raises(errors.PaymentMethodNotAvailable):
        begin_card(account_a, alice)

    assert stripe.requests() == []


def test_no_card_begins_for_a_customer_that_is_gone_at_stripe(
    stripe: FakeStripe, cards_offered: None, alice: User, account_a: Account
) -> None:
    Account.objects.filter(pk=account_a.pk).update(stripe_customer_id="cus_gone")
    account_a.refresh_from_db()

    with pytest.raises(errors.GatewayMisconfigured):
        begin_card(account_a, alice)


def test_stripe_is_never_asked_in_a_transaction(
    stripe: FakeStripe, cards_offered: None, alice: User, account_a: Account
) -> None:
    for call in (
        lambda: begin_card(account_a, alice),
        lambda: save_card("seti_1"),
        lambda: finish_card(account_a, "seti_1", alice),
    ):
        with transaction.atomic(), pytest.raises(RuntimeError):
            call()
    assert stripe.requests() == []


# --- Gone at Stripe -------------------------------------------------------------------------------------------------


def test_a_card_that_stripe_has_no_longer_is_disabled_and_nobodys_default(
    stripe: FakeStripe, cards_offered: None, alice: User, account_a: Account
) -> None:
    saved = finish_card(account_a, entered(stripe, alice), alice)
    bank = use_method(account_a, "bank_transfer", "Bank")
    make_default(account_a, saved.pk, alice)

    forget_card(saved.gateway_method_id)
    forget_card(saved.gateway_method_id)

    card = AccountPaymentMethod.objects.get(pk=saved.pk)
    assert (card.is_enabled, card.is_default) == (False, False)
    assert AccountPaymentMethod.objects.get(is_default=True).pk == bank.pk
    assert Event.objects.filter(type="payment_method.disabled").count() == 1
    assert forget_card("pm_none") is None
    assert forget_card("") is None


def test_a_card_that_is_gone_does_not_come_back_with_the_next_order(
    stripe: FakeStripe, cards_offered: None, alice: User, account_a: Account
) -> None:
    gone = finish_card(account_a, entered(stripe, alice), alice)
    forget_card(gone.gateway_method_id)

    ordered = use_method(account_a, "stripe", "Card")
    save_card(entered(stripe, alice))

    assert ordered.pk != gone.pk
    assert AccountPaymentMethod.objects.get(is_enabled=True, gateway_method_id__gt="").pk == ordered.pk
    assert not AccountPaymentMethod.objects.get(pk=gone.pk).is_enabled


# --- Removed here ---------------------------------------------------------------------------------------------------


def test_a_card_that_is_removed_here_is_detached_at_stripe(
    stripe: FakeStripe, cards_offered: None, alice: User, account_a: Account
) -> None:
    saved = finish_card(account_a, entered(stripe, alice), alice)

    remove_method(account_a, saved.pk, alice)
    stripe.answer_next(500, times=3)
    deliver_due()
    waiting = Delivery.objects.get(consumer="gateways")
    Delivery.objects.filter(pk=waiting.pk).update(next_attempt_at=waiting.event.created_at)
    deliver_due()
    cards.handle(waiting.event)

    assert (waiting.status, waiting.attempts) == ("waiting", 1)
    assert Delivery.objects.get(consumer="gateways").status == "done"
    assert stripe.one(saved.gateway_method_id)["customer"] is None


def test_a_card_that_stripe_does_not_have_is_detached_enough(
    stripe: FakeStripe, alice: User, account_a: Account
) -> None:
    row = AccountPaymentMethod.objects.create(
        account=account_a, type="stripe", display_name="Visa", gateway_method_id="pm_gone"
    )
    remove_method(account_a, row.pk, alice)

    cards.handle(removal_events()[0])

    assert [asked.path for asked in stripe.requests("POST")] == ["/v1/payment_methods/pm_gone/detach"]


def test_what_is_no_card_is_nothing_to_detach(stripe: FakeStripe, alice: User, account_a: Account) -> None:
    make.payment_method()
    bank = add_method(account_a, "bank_transfer", "", alice)

    remove_method(account_a, bank.pk, alice)
    cards.handle(removal_events()[0])

    assert stripe.requests() == []


def test_cards_of_a_deleted_account_are_detached_too(
    stripe: FakeStripe, cards_offered: None, alice: User, account_a: Account
) -> None:
    ids = [finish_card(account_a, entered(stripe, alice), alice).gateway_method_id for _ in range(2)]
    late = entered(stripe, alice)

    delete_account(account_a, alice, make.PASSWORD)
    for removed in removal_events():
        cards.handle(removed)

    assert [stripe.one(card)["customer"] for card in ids] == [None, None]
    assert save_card(late) is None
    assert not AccountPaymentMethod.objects.exists()
