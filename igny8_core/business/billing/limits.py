"""How much of its plan's limits an account uses: people and sites from auth, credits from billing."""

from dataclasses import dataclass
from typing import Any

from igny8_core.auth.models import Account
from igny8_core.auth.selectors import seats_taken, site_count
from igny8_core.business.billing.selectors import live_subscription_of, spendable_credits
from igny8_core.business.billing.usage import used_since
from igny8_core.common import clock


@dataclass(frozen=True)
class Limit:
    """How much of `max` is `used`. `balance`: the spendable credits; 0 for other limits."""

    used: int
    max: int
    balance: int = 0

    @property
    def percent(self) -> int:
        """The used percentage, rounded down. If the limit is zero, any use counts as 100."""
        return self.used * 100 // self.max if self.max else 100 * min(self.used, 1)


def limits_of(account: Account) -> dict[str, Any]:
    """For LimitsOutput. Used credits count from the start of the paid period; on a trial, from the account's start."""
    subscription = live_subscription_of(account)
    start = (subscription and subscription.current_period_start) or account.created_at
    terms = (subscription and subscription.terms) or account.plan.terms
    used = used_since(account, start, clock.now())
    return {
        "sites": Limit(site_count(account), terms.max_sites),
        "users": Limit(seats_taken(account), terms.max_users),
        "credits": Limit(used, terms.credits, spendable_credits(account)),
    }
