"""Credits given and taken by operators: through grants and ledger, with a reason, and not for oneself."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from igny8_core.auth.errors import OwnAccount
from igny8_core.auth.models import Account, Role, User
from igny8_core.business.billing.errors import InsufficientCredits
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import CreditGrant, CreditGrantKind, CreditTransaction
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.business.billing.services.credits.granting import LedgerEntry
from igny8_core.common.errors import InvalidInput
from igny8_core.events.models import Event
from tests import make
from tests.api.world import fingerprint

pytestmark = pytest.mark.django_db


def adjust(account: Account, amount: int, operator: User, **fields: Any) -> LedgerEntry:
    return CreditService.adjust(account, amount, adjusted_by=operator, **{"reason": "Goodwill", **fields})


def grants(account: Account) -> list[int]:
    return list(CreditGrant.objects.filter(account=account).order_by("pk").values_list("remaining", flat=True))


def test_what_is_given_is_a_grant_that_is_spent_last_and_does_not_expire(account_a: Account, olga: User) -> None:
    make.credits(account_a, 10)

    entry = adjust(account_a, 500, olga)

    grant = CreditGrant.objects.latest("pk")
    assert (grant.amount, grant.remaining, grant.expires_at, grant.kind) == (500, 500, None, CreditGrantKind.PURCHASE)
    assert (entry.balance_after, account_a.credits, entry.repeated) == (510, 510, False)
    row = CreditTransaction.objects.get(pk=entry.id)
    assert (row.transaction_type, row.amount, row.source) == ("adjustment", 500, grant.source)
    assert row.metadata == {"reason": "Goodwill"}
    CreditService.spend(account_a, 12, operation_type="article")
    assert grants(account_a) == [0, 498]
    assert broken_invariants() == []


def test_what_is_taken_comes_from_the_grants_in_the_order_in_which_they_are_spent(
    account_a: Account, olga: User
) -> None:
    now = timezone.now()
    make.credits(account_a, 100, kind=CreditGrantKind.PURCHASE)
    make.credits(account_a, 100, kind=CreditGrantKind.PLAN)
    make.credits(account_a, 100, expires_at=now + timedelta(days=9))
    make.credits(account_a, 100, expires_at=now + timedelta(days=1))

    entry = adjust(account_a, -250, olga)

    assert grants(account_a) == [100, 50, 0, 0]
    assert (entry.balance_after, account_a.credits) == (150, 150)
    assert CreditTransaction.objects.get(pk=entry.id).amount == -250
    assert broken_invariants() == []


@pytest.mark.parametrize("amount", [-101, -(10**12)])
def test_more_than_the_balance_is_refused_by_naming_it(account_a: Account, olga: User, amount: int) -> None:
    make.credits(account_a, 100)
    before = fingerprint()

    with pytest.raises(InsufficientCredits, match=f"The account has 100 credits, so {-amount} cannot be taken"):
        adjust(account_a, amount, olga)

    assert fingerprint() == before
    assert adjust(account_a, -100, olga).balance_after == 0


def test_what_has_expired_is_not_there_to_be_taken(account_a: Account, olga: User) -> None:
    make.credits(account_a, 100, expires_at=timezone.now() - timedelta(minutes=1))

    with pytest.raises(InsufficientCredits, match="has 0 credits"):
        adjust(account_a, -1, olga)


@pytest.mark.parametrize("amount", [0, 1.0, "5", True, None])
def test_an_adjustment_is_a_whole_number_and_not_nothing(account_a: Account, olga: User, amount: Any) -> None:
    before = fingerprint()

    with pytest.raises(InvalidInput):
        adjust(account_a, amount, olga)

    assert fingerprint() == before


@pytest.mark.parametrize("amount", [5, -5])
def test_nobody_adjusts_the_credits_of_their_own_account(account_a: Account, amount: int) -> None:
    make.credits(account_a, 10)
    member = make.operator(account=account_a, role=Role.ADMIN)
    before = fingerprint()

    with pytest.raises(OwnAccount):
        adjust(account_a, amount, member)

    assert fingerprint() == before


@pytest.mark.parametrize("amount", [7, -7])
def test_a_key_makes_an_adjustment_repeatable(account_a: Account, olga: User, amount: int) -> None:
    make.credits(account_a, 10)

    first, again = (adjust(account_a, amount, olga, key="ticket-12") for _ in range(2))

    assert (again.id, again.balance_after, again.repeated) == (first.id, first.balance_after, True)
    account_a.refresh_from_db()
    assert account_a.credits == 10 + amount
    assert Event.objects.filter(type="credits.adjusted").count() == 1


def test_who_adjusted_what_and_why_is_an_event(account_a: Account, olga: User) -> None:
    adjust(account_a, 30, olga, reason="Outage in May")
    entry = adjust(account_a, -10, olga, reason="Too many")

    given, taken = Event.objects.filter(type="credits.adjusted").order_by("pk")
    assert given.data == {"amount": 30, "reason": "Outage in May", "balance_after": 30}
    assert taken.data == {"amount": -10, "reason": "Too many", "balance_after": 20}
    assert (taken.object_id, taken.account_id, taken.actor_id) == (str(entry.id), account_a.pk, olga.pk)
    assert not Event.objects.filter(type="credits.granted").exists()
