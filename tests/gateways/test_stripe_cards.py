"""StripeGateway: customers and the cards that they save."""

import pytest

from igny8_core.business.billing.gateways.protocol import ChargeState, Misconfigured, UnknownObject
from tests.gateways.stripe_cast import Shop


def test_the_same_customer_is_made_once_and_another_address_makes_another() -> None:
    shop = Shop()

    again = shop.gateway.create_customer("account-1", "ada@example.com", "Ada")
    moved = shop.gateway.create_customer("account-1", "ada@example.org", "Ada")

    assert again == shop.customer_id
    assert moved != shop.customer_id
    assert shop.fake.one(moved)["metadata"] == {"account_id": "account-1"}


def test_a_card_is_saved_in_the_browser_and_then_charged_without_the_customer() -> None:
    shop = Shop()

    setup = shop.gateway.begin_card_setup(shop.customer_id, "setup-1")
    shop.fake.complete_setup(setup.setup_id)
    done = shop.gateway.card_setup(setup.setup_id)

    assert (setup.is_complete, setup.payment_method_id, setup.customer_id) == (False, "", shop.customer_id)
    assert setup.client_secret.startswith(f"{setup.setup_id}_secret_")
    assert done.is_complete
    assert shop.pay(card=done.payment_method_id, off_session=True).state is ChargeState.SUCCEEDED
    held = shop.fake.one(setup.setup_id)
    assert (held["usage"], held["payment_method_types"]) == ("off_session", ["card"])


def test_a_setup_is_begun_once() -> None:
    shop = Shop()
    shop.fake.lose_next_answers(1, path="/v1/setup_intents")

    setup = shop.gateway.begin_card_setup(shop.customer_id, "setup-1")

    assert shop.gateway.begin_card_setup(shop.customer_id, "setup-1") == setup
    assert len(shop.fake.all("setup_intent")) == 1


def test_a_bank_that_asks_once_lets_later_charges_pass() -> None:
    shop = Shop()
    setup = shop.gateway.begin_card_setup(shop.customer_id, "setup-1")
    shop.fake.complete_setup(setup.setup_id, "pm_card_authenticationRequiredSetupForOffSession")
    assert not shop.gateway.card_setup(setup.setup_id).is_complete

    shop.fake.authenticate(setup.setup_id)

    card_id = shop.gateway.card_setup(setup.setup_id).payment_method_id
    assert shop.pay(card=card_id, off_session=True).state is ChargeState.SUCCEEDED


def test_a_card_that_is_refused_is_not_saved() -> None:
    shop = Shop()
    setup = shop.gateway.begin_card_setup(shop.customer_id, "setup-1")

    refused = shop.fake.complete_setup(setup.setup_id, "pm_card_chargeDeclined")

    assert refused["last_setup_error"]["decline_code"] == "generic_decline"
    assert not shop.gateway.card_setup(setup.setup_id).is_complete
    assert shop.saved_cards() == []


def test_a_bank_that_is_not_convinced_saves_no_card() -> None:
    shop = Shop()
    setup = shop.gateway.begin_card_setup(shop.customer_id, "setup-1")
    shop.fake.complete_setup(setup.setup_id, "pm_card_authenticationRequired")

    shop.fake.fail_authentication(setup.setup_id)

    assert not shop.gateway.card_setup(setup.setup_id).is_complete
    assert shop.saved_cards() == []


def test_a_card_shows_what_the_customer_knows_it_by() -> None:
    shop = Shop()
    card_id = shop.fake.save_card(shop.customer_id, "pm_card_mastercard")

    card = shop.gateway.card(card_id)

    assert (card.brand, card.last4, card.exp_month, card.exp_year) == ("mastercard", "4444", 12, 2034)
    assert (card.payment_method_id, card.customer_id) == (card_id, shop.customer_id)


def test_a_forgotten_card_belongs_to_nobody_and_can_be_forgotten_twice() -> None:
    shop = Shop()
    card_id = shop.fake.save_card(shop.customer_id)

    shop.gateway.forget_card(card_id)
    shop.gateway.forget_card(card_id)

    assert shop.saved_cards() == []
    assert shop.gateway.card(card_id).customer_id == ""
    with pytest.raises(UnknownObject):
        shop.gateway.forget_card("pm_nobody")


def test_a_card_that_stripe_does_not_let_go_is_not_called_forgotten() -> None:
    shop = Shop()
    card_id = shop.fake.save_card(shop.customer_id)
    shop.fake.answer_next(400, method="POST")

    with pytest.raises(Misconfigured):
        shop.gateway.forget_card(card_id)
