"""Terms: what a period costs and includes. They do not change when operators edit the plan."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Terms:
    """Price in `currency` (ISO 4217), credits and limits of one period of `billing_cycle`."""

    price: Decimal
    currency: str
    billing_cycle: str
    credits: int
    credits_rollover: bool
    max_sites: int
    max_users: int
