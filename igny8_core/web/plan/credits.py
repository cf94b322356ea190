"""The credits of an account by where they came from: with the plan, as a gift, bought."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from igny8_core.auth.models import Account, Terms
from igny8_core.business.billing.models import CreditGrant, CreditGrantKind
from igny8_core.business.billing.selectors import live_grants_of
from igny8_core.business.billing.usage import Projection, projection_of
from igny8_core.web.home.credits import Grants


@dataclass(frozen=True)
class Credits:
    """What can be spent now, and what was spent this month beside what the plan includes."""

    monthly: Grants
    bonus: Grants
    purchased: Grants
    month: Projection
    included: int

    @property
    def total(self) -> int:
        """All that can be spent now."""
        return self.monthly.remaining + self.bonus.remaining + self.purchased.remaining

    @property
    def percent(self) -> int:
        """How much of the plan's credits was used this month; can be more than 100."""
        return 100 * self.month.credits_used // self.included if self.included else 0


def credits_of(account: Account, terms: Terms, now: datetime) -> Credits:
    """As of `now`: grants whose time is over count no more, even before they are taken back."""
    grants = list(live_grants_of(account))

    def those(belong: Callable[[CreditGrant], bool]) -> Grants:
        return Grants.of(grant for grant in grants if belong(grant))

    return Credits(
        monthly=those(lambda grant: grant.kind == CreditGrantKind.PLAN and not grant.is_bonus),
        bonus=those(lambda grant: grant.is_bonus),
        purchased=those(lambda grant: grant.kind != CreditGrantKind.PLAN and not grant.is_bonus),
        month=projection_of(account, now),
        included=terms.credits,
    )
