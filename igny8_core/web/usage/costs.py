"""What credits are worth in money: each at what a credit of the plan costs, else at the cheapest package's price."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from igny8_core.auth.models import Account, Terms
from igny8_core.business.billing.selectors import credit_packages
from igny8_core.common.money import amount_text, round_amount


@dataclass(frozen=True)
class Worth:
    """An amount of money for credits. `by_plan`: at the price of the plan's credits, not at a package's."""

    amount: Decimal
    currency: str
    by_plan: bool

    @property
    def text(self) -> str:
        return amount_text(self.amount, self.currency)


def worth_of(account: Account, terms: Terms, number: int) -> Worth | None:
    """What so many credits are worth to the account; None if it has no paid plan and no package is for sale.

    `terms`: those in force. Packages in the plan's currency come first.
    """
    if terms.price and terms.credits:
        return _worth(Fraction(terms.price) / terms.credits, terms.currency, number, by_plan=True)
    packages = [package for package in credit_packages() if package.final_price]
    ours = [package for package in packages if package.currency == account.plan.currency]
    by_price = {Fraction(package.final_price) / package.credits: package.currency for package in ours or packages}
    return _worth(min(by_price), by_price[min(by_price)], number, by_plan=False) if by_price else None


def _worth(price: Fraction, currency: str, number: int, *, by_plan: bool) -> Worth:
    exact = price * number
    amount = round_amount(Decimal(exact.numerator) / Decimal(exact.denominator), currency)
    return Worth(amount, currency, by_plan)
