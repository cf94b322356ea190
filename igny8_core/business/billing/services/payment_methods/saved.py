"""An account's saved payment methods, and which of them is the default."""

from igny8_core.auth.errors import AccountDeleted
from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import Account, PaymentMethodType, User
from igny8_core.business.billing.errors import SavedMethodDisabled, SavedMethodExists, SavedMethodNotFound
from igny8_core.business.billing.gateways import card_method
from igny8_core.business.billing.gateways.protocol import Card
from igny8_core.business.billing.models import AccountPaymentMethod
from igny8_core.business.billing.services.payment_methods.availability import required_offer
from igny8_core.common.db import service_transaction
from igny8_core.events import services as events
from igny8_core.events.models import Event


@service_transaction
def use_method(account: Account, payment_method: str, display_name: str) -> AccountPaymentMethod:
    """Make a type of payment method the account's default, and create its row if there is none.

    For cards, a new row is a placeholder until a card is saved.
    """
    locked = lock_account(account.pk)
    # An existing row keeps the name that the customer gave it.
    chosen = _saved(locked, payment_method) or AccountPaymentMethod(
        account=locked, type=payment_method, display_name=display_name
    )
    chosen.is_enabled = True
    _make_default(locked, chosen)
    account.payment_method = locked.payment_method
    return chosen


@service_transaction
def add_method(account: Account, payment_method: str, display_name: str, added_by: User) -> AccountPaymentMethod:
    """Save a bank or wallet method that is offered in the account's country. The first one becomes the default.

    Raises PaymentMethodNotAvailable, GatewayNotConfigured, SavedMethodExists.
    """
    locked = lock_account(account.pk)
    offer = required_offer(locked, payment_method, field="type")
    if _saved(locked, payment_method):
        raise SavedMethodExists()
    added = AccountPaymentMethod(account=locked, type=payment_method, display_name=display_name or offer.display_name)
    _save_new(locked, added)
    events.record(_event("payment_method.added", added, added_by))
    return added


@service_transaction
def add_card(account: Account, card: Card, added_by: User | None = None) -> AccountPaymentMethod:
    """Save a card that the gateway stores for the account's customer, once per card.

    The account's first method becomes the default. A placeholder row for a card is filled in. Raises AccountDeleted.
    """
    locked = lock_account(account.pk)
    if locked.deleted_at:
        raise AccountDeleted()
    return _add_card(locked, card, added_by)


@service_transaction
def add_card_of_payment(account: Account, card: Card, *, replaces_default: bool) -> AccountPaymentMethod | None:
    """Save a card that paid an invoice, as add_card does; None if it was removed meanwhile, or the account deleted.

    `replaces_default`: it paid what the default card was declined for, and takes that card's place.
    """
    locked = lock_account(account.pk)
    # The event may be delivered again, before the card that the customer has removed is gone at its gateway.
    removed = Event.objects.filter(account=locked, type="payment_method.removed")
    if locked.deleted_at or removed.filter(data__gateway_method_id=card.payment_method_id).exists():
        return None
    default = AccountPaymentMethod.objects.filter(account=locked, is_default=True, type=card_method())
    return _add_card(locked, card, None, becomes_default=replaces_default and default.exists())


def _add_card(
    locked: Account, card: Card, added_by: User | None, *, becomes_default: bool = False
) -> AccountPaymentMethod:
    cards = AccountPaymentMethod.objects.filter(account=locked, type=card_method())
    known = cards.filter(gateway_method_id=card.payment_method_id).first()
    if known:
        return known
    added = cards.filter(gateway_method_id="").order_by("pk").first() or AccountPaymentMethod(
        account=locked, type=card_method()
    )
    added.gateway_method_id = card.payment_method_id
    added.card_brand, added.card_last4 = card.brand[:20], card.last4
    added.card_exp_month, added.card_exp_year = card.exp_month, card.exp_year
    added.display_name = f"{card.brand.replace('_', ' ').title() or 'Card'} •••• {card.last4}"
    added.is_enabled = added.is_verified = True
    if becomes_default:
        _make_default(locked, added)
    else:
        _save_new(locked, added)
    events.record(_event("payment_method.added", added, added_by))
    return added


@service_transaction
def disable_card(payment_method_id: str) -> AccountPaymentMethod | None:
    """Disable a card that its gateway no longer has; None if the card is unknown here.

    It stays in the list but cannot be used. If it was the default, the oldest other enabled method becomes the default.
    """
    cards = AccountPaymentMethod.objects.filter(type=card_method(), gateway_method_id=payment_method_id)
    found = cards.first() if payment_method_id else None
    if found is None:
        return None
    locked = lock_account(found.account_id)
    card = cards.filter(account=locked).first()
    if card is None or not card.is_enabled:
        return card
    was_default, card.is_default, card.is_enabled = card.is_default, False, False
    card.save(update_fields=["is_default", "is_enabled"])
    events.record(_event("payment_method.disabled", card, None))
    if was_default:
        _choose_successor(locked)
    return card


@service_transaction
def make_default(account: Account, method_id: int, chosen_by: User) -> AccountPaymentMethod:
    """Make a saved method the account's default. Raises SavedMethodNotFound, SavedMethodDisabled."""
    locked = lock_account(account.pk)
    chosen = _with_id(locked, method_id)
    if not chosen.is_enabled:
        raise SavedMethodDisabled()
    if not chosen.is_default:
        _make_default(locked, chosen)
        events.record(_event("payment_method.made_default", chosen, chosen_by))
    return chosen


@service_transaction
def remove_method(account: Account, method_id: int, removed_by: User) -> None:
    """Delete a saved method. If it was the default, the oldest other enabled method becomes the default.

    If there is no other, `account.payment_method` keeps its value. Raises SavedMethodNotFound.
    """
    locked = lock_account(account.pk)
    removed = _with_id(locked, method_id)
    events.record(_event("payment_method.removed", removed, removed_by))
    removed.delete()
    if removed.is_default:
        _choose_successor(locked)


@service_transaction
def forget_all_methods(account: Account) -> None:
    """Delete all saved methods of an account that is being deleted. The caller holds the account's lock."""
    methods = AccountPaymentMethod.objects.filter(account=account)
    events.record(*(_event("payment_method.removed", method, None) for method in methods.order_by("pk")))
    methods.delete()


def saved_card_of(account: Account) -> AccountPaymentMethod | None:
    """The card that is charged when the customer is not present: the default, else the one saved last; or None."""
    cards = AccountPaymentMethod.objects.filter(account=account, type=card_method(), is_enabled=True)
    return cards.exclude(gateway_method_id="").order_by("-is_default", "-pk").first()


def _saved(account: Account, payment_method: str) -> AccountPaymentMethod | None:
    saved = AccountPaymentMethod.objects.filter(account=account, type=payment_method)
    # A card that its gateway no longer has cannot come back.
    usable = saved.exclude(type=card_method(), is_enabled=False, gateway_method_id__gt="")
    return usable.order_by("-is_default", "pk").first()


def _with_id(account: Account, method_id: int) -> AccountPaymentMethod:
    method = AccountPaymentMethod.objects.filter(account=account, pk=method_id).first()
    if method is None:
        raise SavedMethodNotFound()
    return method


def _save_new(account: Account, added: AccountPaymentMethod) -> None:
    if AccountPaymentMethod.objects.filter(account=account, is_default=True).exists():
        added.save()
    else:
        _make_default(account, added)


def _choose_successor(account: Account) -> None:
    others = AccountPaymentMethod.objects.filter(account=account, is_enabled=True).order_by("pk")
    if successor := others.first():
        _make_default(account, successor)


def _make_default(account: Account, chosen: AccountPaymentMethod) -> None:
    """Make one method the only default, and store its type on the account. The account is locked."""
    AccountPaymentMethod.objects.filter(account=account, is_default=True).update(is_default=False)
    chosen.is_default = True
    chosen.save()
    account.payment_method = PaymentMethodType(chosen.type)
    account.save(update_fields=["payment_method"])


def _event(event_type: str, method: AccountPaymentMethod, actor: User | None) -> events.NewEvent:
    facts = {
        "type": method.type,
        "display_name": method.display_name,
        "is_default": method.is_default,
        # When the row is deleted, this id finds the card at its gateway.
        "gateway_method_id": method.gateway_method_id,
    }
    return events.about(event_type, method, actor, facts)
