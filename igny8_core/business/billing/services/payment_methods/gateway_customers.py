"""An account's customer object at the card gateway. Saved cards belong to it."""

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import Account
from igny8_core.business.billing.gateways import card_gateway
from igny8_core.common.db import require_no_transaction, service_transaction


def customer_of(account: Account) -> str:
    """The id of the account's customer at the gateway, created at the first use.

    Raises GatewayNotConfigured, and a GatewayError if the gateway refuses. RuntimeError in a transaction if the
    customer has to be created.
    """
    if not account.stripe_customer_id:
        require_no_transaction()
        email = account.address_for_mail
        # With the creation time, because another database may have had an account with the same id.
        reference = f"account:{account.pk}:{account.created_at.isoformat()}"
        account.stripe_customer_id = _keep(account, card_gateway().create_customer(reference, email, account.name))
    return account.stripe_customer_id


@service_transaction
def _keep(account: Account, customer_id: str) -> str:
    """Store the customer's id. If two requests each created one, the first to get here counts."""
    locked = lock_account(account.pk)
    if not locked.stripe_customer_id:
        locked.stripe_customer_id = customer_id
        locked.save(update_fields=["stripe_customer_id"])
    return locked.stripe_customer_id
