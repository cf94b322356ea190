"""The ways of paying that an account keeps: which there are, and which is the default."""

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import Account, PaymentMethodType, User
from igny8_core.business.billing.errors import SavedMethodDisabled, SavedMethodExists, SavedMethodNotFound
from igny8_core.business.billing.models import AccountPaymentMethod
from igny8_core.business.billing.services.payment_offers import required_offer
from igny8_core.common.db import service_transaction
from igny8_core.events import services as events


class SavedMethodService:
    """The only writer of AccountPaymentMethod."""

    @staticmethod
    @service_transaction
    def use(account: Account, payment_method: str, display_name: str) -> AccountPaymentMethod:
        """Make a manual method the account's default: the row that it has of the type, or a new one."""
        locked = lock_account(account.pk)
        # A row that is there keeps the name that the customer gave it.
        chosen = _saved(locked, payment_method) or AccountPaymentMethod(
            account=locked, type=payment_method, display_name=display_name
        )
        chosen.is_enabled = True
        _make_default(locked, chosen)
        account.payment_method = locked.payment_method
        return chosen

    @staticmethod
    @service_transaction
    def add(account: Account, payment_method: str, display_name: str, added_by: User) -> AccountPaymentMethod:
        """Save a manual method that is offered in the account's country; the first one becomes the default.

        Raises PaymentMethodNotAvailable, GatewayNotConfigured, SavedMethodExists.
        """
        locked = lock_account(account.pk)
        offer = required_offer(locked, payment_method, "type")
        if _saved(locked, payment_method):
            raise SavedMethodExists()
        added = AccountPaymentMethod(
            account=locked, type=payment_method, display_name=display_name or offer.display_name
        )
        if AccountPaymentMethod.objects.filter(account=locked, is_default=True).exists():
            added.save()
        else:
            _make_default(locked, added)
        events.record(_event("payment_method.added", added, added_by))
        return added

    @staticmethod
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

    @staticmethod
    @service_transaction
    def remove(account: Account, method_id: int, removed_by: User) -> None:
        """Delete a saved method; where it was the default, the oldest other one that is enabled takes its place.

        Without any, the account's fall-back (`payment_method`) stays. Raises SavedMethodNotFound.
        """
        locked = lock_account(account.pk)
        removed = _with_id(locked, method_id)
        events.record(_event("payment_method.removed", removed, removed_by))
        removed.delete()
        if not removed.is_default:
            return
        others = AccountPaymentMethod.objects.filter(account=locked, is_enabled=True).order_by("pk")
        if successor := others.first():
            _make_default(locked, successor)

    @staticmethod
    @service_transaction
    def forget_all(account: Account) -> None:
        """Delete every saved method: the account is being deleted, under its lock."""
        AccountPaymentMethod.objects.filter(account=account).delete()


def _saved(account: Account, payment_method: str) -> AccountPaymentMethod | None:
    return AccountPaymentMethod.objects.filter(account=account, type=payment_method).order_by("pk").first()


def _with_id(account: Account, method_id: int) -> AccountPaymentMethod:
    method = AccountPaymentMethod.objects.filter(account=account, pk=method_id).first()
    if method is None:
        raise SavedMethodNotFound()
    return method


def _make_default(account: Account, chosen: AccountPaymentMethod) -> None:
    """Under the account's lock: no other default is left, and the account falls back to the same type."""
    AccountPaymentMethod.objects.filter(account=account, is_default=True).update(is_default=False)
    chosen.is_default = True
    chosen.save()
    account.payment_method = PaymentMethodType(chosen.type)
    account.save(update_fields=["payment_method"])


def _event(event_type: str, method: AccountPaymentMethod, actor: User) -> events.NewEvent:
    facts = {"type": method.type, "display_name": method.display_name, "is_default": method.is_default}
    return events.NewEvent(event_type, method, method.account_id, actor.pk, facts)
