"""An account's customer object at the card gateway: made for its first card, erased with the account.

PayPal keeps no customers for us, and no ways to pay: each of its payments is approved there anew.
"""

from django.db.models import Exists, OuterRef

from igny8_core.auth.errors import AccountDeleted
from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import Account
from igny8_core.business.billing.errors import PaymentBeingChecked
from igny8_core.business.billing.gateways import card_gateway
from igny8_core.business.billing.gateways.protocol import UnknownObject
from igny8_core.business.billing.gateways.refusals import gateway_refusals
from igny8_core.business.billing.selectors import payments_under_way_of
from igny8_core.common.db import require_no_transaction, service_transaction
from igny8_core.events import services as events
from igny8_core.events.models import Event

# The name is stored with deliveries.
CONSUMER, RELEASED = "gateway_customers", "gateway_customer.released"


def customer_of(account: Account) -> str:
    """The id of the account's customer at the gateway, created at the first use.

    Raises GatewayNotConfigured, AccountDeleted, and a GatewayError if the gateway refuses. RuntimeError in a
    transaction if the customer has to be created.
    """
    if not account.stripe_customer_id:
        require_no_transaction()
        email = account.address_for_mail
        # With the creation time, because another database may have had an account with the same id.
        reference = f"account:{account.pk}:{account.created_at.isoformat()}"
        account.stripe_customer_id = _keep(account, card_gateway().create_customer(reference, email, account.name))
        if not account.stripe_customer_id:
            raise AccountDeleted()
    return account.stripe_customer_id


@service_transaction
def _keep(account: Account, customer_id: str) -> str:
    """Store the customer's id; returns the account's, empty if it was deleted meanwhile.

    If two requests each created a customer, the first to get here counts. The other one is erased.
    """
    locked = lock_account(account.pk)
    if not locked.stripe_customer_id and not locked.deleted_at:
        locked.stripe_customer_id = customer_id
        locked.save(update_fields=["stripe_customer_id"])
    elif locked.stripe_customer_id != customer_id:
        release_customer(locked, customer_id)
    return locked.stripe_customer_id if not locked.deleted_at else ""


def release_customer(account: Account, customer_id: str) -> None:
    """Order that a customer is erased at the gateway, once this transaction is committed. The account is locked.

    The outbox calls `erase` until it succeeds; what it gives up is among the deliveries of the console.
    """
    events.record(events.about(RELEASED, account, None, {"gateway_customer_id": customer_id}))


def release_left_customers() -> int:
    """Order what was never ordered for deleted accounts, whose release knew nothing of it. Returns how many."""
    ordered = Event.objects.filter(account=OuterRef("pk"), type=RELEASED)
    left = Account.objects.filter(~Exists(ordered), deleted_at__isnull=False, stripe_customer_id__gt="")
    return sum(_release_left(account) for account in left.order_by("pk"))


@service_transaction
def _release_left(account: Account) -> bool:
    locked = lock_account(account.pk)
    if Event.objects.filter(account=locked, type=RELEASED).exists():
        return False
    release_customer(locked, locked.stripe_customer_id)
    return True


def erase(event: Event) -> None:
    """Erase a released customer at the gateway. The outbox calls this at least once per event.

    Raises PaymentBeingChecked while a payment of the account is undecided, GatewayNotConfigured, GatewayUnavailable and
    GatewayMisconfigured, so that the outbox tries again.
    """
    # A charge that is under way is decided first: without its customer, nobody could ask for it any more.
    if event.account is not None and payments_under_way_of(event.account).exists():
        raise PaymentBeingChecked()
    try:
        with gateway_refusals():
            card_gateway().erase_customer(event.data["gateway_customer_id"])
    except UnknownObject:
        # The gateway no longer has it, so nothing is left to do.
        return
