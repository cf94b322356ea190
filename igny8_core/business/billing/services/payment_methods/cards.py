"""Saved cards: the setup begins here, the card is entered at Stripe, and we store its brand and last four digits.

The card's number and security code go from the customer's browser to Stripe and never reach us.
"""

import logging
from uuid import uuid4

from igny8_core.auth.models import Account, User
from igny8_core.business.billing.errors import CardSetupIncomplete, GatewayMisconfigured, SavedMethodNotFound
from igny8_core.business.billing.gateways import card_gateway, card_method
from igny8_core.business.billing.gateways.protocol import Card, CardSetup, UnknownObject
from igny8_core.business.billing.gateways.refusals import gateway_refusals
from igny8_core.business.billing.models import AccountPaymentMethod
from igny8_core.business.billing.services.payment_methods.availability import required_offer
from igny8_core.business.billing.services.payment_methods.gateway_customers import customer_of
from igny8_core.business.billing.services.payment_methods.saved import add_card, disable_card
from igny8_core.common.db import require_no_transaction, service_transaction
from igny8_core.events import services as events
from igny8_core.events.models import Event

logger = logging.getLogger(__name__)


def begin_card(account: Account, started_by: User) -> CardSetup:
    """Begin to save a card. The customer's browser completes the setup at Stripe with its client secret.

    Raises PaymentMethodNotAvailable if cards are not offered in the account's country, GatewayNotConfigured,
    GatewayUnavailable, GatewayMisconfigured. RuntimeError in a transaction.
    """
    require_no_transaction()
    required_offer(account, card_method(), field="type")
    try:
        with gateway_refusals():
            setup = card_gateway().begin_card_setup(customer_of(account), str(uuid4()))
    except UnknownObject as problem:
        # Somebody deleted the customer at Stripe.
        logger.error("no such customer at Stripe", extra={"account": account.pk})
        raise GatewayMisconfigured() from problem
    _note_beginning(account, setup, started_by)
    return setup


def save_card(setup_id: str) -> AccountPaymentMethod | None:
    """Save the card of a setup that a webhook message names; None if it is incomplete or not one of our accounts'."""
    require_no_transaction()
    setup = _setup(setup_id)
    if setup is None or not setup.is_complete or not setup.customer_id:
        return None
    account = Account.objects.filter(stripe_customer_id=setup.customer_id, deleted_at=None).first()
    card = _card_of(setup) if account else None
    return add_card(account, card) if account and card else None


def finish_card(account: Account, setup_id: str, added_by: User) -> AccountPaymentMethod:
    """Save the card of a setup of this account. The same setup again returns the same saved method.

    Raises SavedMethodNotFound if the setup is unknown or another account's, CardSetupIncomplete.
    """
    require_no_transaction()
    setup = _setup(setup_id)
    if setup is None or not setup.customer_id or setup.customer_id != account.stripe_customer_id:
        raise SavedMethodNotFound()
    if not setup.is_complete:
        raise CardSetupIncomplete()
    card = _card_of(setup)
    if card is None:
        raise SavedMethodNotFound()
    return add_card(account, card, added_by)


def forget_card(payment_method_id: str) -> AccountPaymentMethod | None:
    """Disable a card that Stripe reports as detached; None if the card is not saved here."""
    return disable_card(payment_method_id)


def handle(event: Event) -> None:
    """Detach a card at Stripe after its row was removed here. The outbox calls this at least once per event.

    Raises GatewayUnavailable and GatewayMisconfigured, so that the outbox tries again.
    """
    # Releases before 0020_gateway_ids used another name, and their events may still be waiting.
    payment_method_id = event.data.get("gateway_method_id") or event.data.get("stripe_payment_method_id")
    if not payment_method_id:
        return
    try:
        with gateway_refusals():
            card_gateway().forget_card(payment_method_id)
    except UnknownObject:
        # Stripe no longer has the card, so nothing is left to do.
        return


def _setup(setup_id: str) -> CardSetup | None:
    try:
        with gateway_refusals():
            return card_gateway().card_setup(setup_id)
    except UnknownObject:
        return None


def _card_of(setup: CardSetup) -> Card | None:
    """The card that a complete setup saved, if it still belongs to the setup's customer."""
    try:
        with gateway_refusals():
            card = card_gateway().card(setup.payment_method_id)
    except UnknownObject:
        return None
    return card if card.customer_id == setup.customer_id else None


@service_transaction
def _note_beginning(account: Account, setup: CardSetup, started_by: User) -> None:
    # Many of these in a row mean that somebody is testing stolen cards.
    facts = {"setup_id": setup.setup_id}
    events.record(events.about("payment_method.setup_started", account, started_by, facts))
