"""Saved cards: begun here, entered at Stripe, kept here as brand and last four digits.

A card's number and check digits go from the customer's browser to Stripe and never come here.
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
    """Begin to save a card: the customer's browser completes it at Stripe with the client secret.

    Raises PaymentMethodNotAvailable where cards are not offered in the account's country.
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
    """Keep the card of a setup that Stripe tells of; None for one that is incomplete or no account's of ours."""
    require_no_transaction()
    setup = _setup(setup_id)
    if setup is None or not setup.is_complete or not setup.customer_id:
        return None
    account = Account.objects.filter(stripe_customer_id=setup.customer_id, deleted_at=None).first()
    card = _card_of(setup) if account else None
    return add_card(account, card) if account and card else None


def finish_card(account: Account, setup_id: str, added_by: User) -> AccountPaymentMethod:
    """Keep the card of a setup of this account; the same setup again gives the same saved method.

    Raises SavedMethodNotFound for another account's setup as for none, CardSetupIncomplete.
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
    """Stripe says that a card is detached: it cannot be used here any more. None for a card that is not here."""
    return disable_card(payment_method_id)


def handle(event: Event) -> None:
    """Detach a card at Stripe whose row was removed here; called by the outbox, at least once per event.

    What Stripe's adapter raises is raised, so that it is tried again.
    """
    # Releases before 0020_gateway_ids had another name for it, and their events may still wait.
    payment_method_id = event.data.get("gateway_method_id") or event.data.get("stripe_payment_method_id")
    if not payment_method_id:
        return
    try:
        with gateway_refusals():
            card_gateway().forget_card(payment_method_id)
    except UnknownObject:
        # Stripe does not have it, which is what was wanted.
        return


def _setup(setup_id: str) -> CardSetup | None:
    try:
        with gateway_refusals():
            return card_gateway().card_setup(setup_id)
    except UnknownObject:
        return None


def _card_of(setup: CardSetup) -> Card | None:
    """The card that a complete setup saved, if its customer has it still."""
    try:
        with gateway_refusals():
            card = card_gateway().card(setup.payment_method_id)
    except UnknownObject:
        return None
    return card if card.customer_id == setup.customer_id else None


@service_transaction
def _note_beginning(account: Account, setup: CardSetup, started_by: User) -> None:
    # Many of these in a row are how stolen cards are tried out.
    facts = {"setup_id": setup.setup_id}
    events.record(events.about("payment_method.setup_started", account, started_by, facts))
