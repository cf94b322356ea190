"""Tell customers that the card which pays their renewals expires soon."""

from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from igny8_core.business.billing.gateways import card_method
from igny8_core.business.billing.models import AccountPaymentMethod
from igny8_core.common import clock
from igny8_core.common.db import PreparedStatement, require_no_transaction
from igny8_core.events import services as events

BATCH = 500
# A card is valid to the end of its month. Two runs at once take different rows.
WARN = PreparedStatement(
    name="igny8_warn_of_cards",
    types=("timestamptz", "text", "integer", "integer"),
    sql="""
        UPDATE igny8_account_payment_methods SET expiry_warned_at = $1
        WHERE id IN (
            SELECT card.id FROM igny8_account_payment_methods card
            WHERE card.type = $2 AND card.is_default AND card.is_enabled AND card.expiry_warned_at IS NULL
              AND card.card_exp_year * 12 + card.card_exp_month <= $3
              AND EXISTS (SELECT FROM igny8_subscriptions subscription
                          WHERE subscription.account_id = card.account_id AND subscription.billing_driver = 'local'
                            AND subscription.status IN ('active', 'past_due')
                            AND NOT subscription.cancel_at_period_end)
            ORDER BY card.id LIMIT $4 FOR UPDATE OF card SKIP LOCKED
        )
        RETURNING id, account_id, card_brand, card_last4, card_exp_year, card_exp_month
    """,
)


def warn_of_expiring_cards(batch: int = BATCH) -> int:
    """Write the event for each card that expires within settings.CARD_EXPIRY_NOTICE_DAYS, once; returns how many.

    RuntimeError in a transaction.
    """
    require_no_transaction()
    warned = last = _warn_batch(batch)
    while last == batch:
        last = _warn_batch(batch)
        warned += last
    return warned


@transaction.atomic
def _warn_batch(batch: int) -> int:
    soon = clock.today() + timedelta(days=settings.CARD_EXPIRY_NOTICE_DAYS)
    # The last day of the card's month is before `soon` if its month is an earlier one.
    rows = WARN.fetch_all([clock.now(), card_method(), _month(soon) - 1, batch])
    events.record(*(_event(row) for row in rows))
    return len(rows)


def _month(day: date) -> int:
    return day.year * 12 + day.month


def _event(row: tuple[Any, ...]) -> events.NewEvent:
    pk, account_id, brand, last4, year, month = row
    card = AccountPaymentMethod(pk=pk, account_id=account_id)
    facts = {"brand": brand, "last4": last4, "exp_year": year, "exp_month": month}
    return events.about("payment_method.expiring", card, None, facts)
