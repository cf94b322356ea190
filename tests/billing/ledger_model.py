"""The credit ledger beside a model of it in plain Python: hypothesis looks for calls after which they differ."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from igny8_core.business.billing.services.credit_service import CreditService

from igny8_core.business.billing.errors import InsufficientCredits
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import CreditGrant, CreditGrantKind
from igny8_core.business.billing.services.credits.granting import LedgerEntry
from tests import make

KINDS, DAYS = st.sampled_from(CreditGrantKind.values), st.sampled_from([-1, 1, 2, None])


class Ledger(RuleBasedStateMachine):
    """One account, and beside it a list of grants that does by hand what the ledger does in SQL."""

    def __init__(self) -> None:
        super().__init__()
        tenant = make.owner().account
        assert tenant
        self.tenant = tenant
        # One moment for all grants, so that those of the same day really expire together.
        self.start = timezone.now()
        self.grants: list[dict[str, Any]] = []
        self.keys: dict[str, int] = {}

    @rule(
        amount=st.integers(1, 20), kind=st.sampled_from(CreditGrantKind.values), days=st.sampled_from([-1, 1, 2, None])
    )
    def grant(self, amount: int, kind: str, days: int | None) -> None:
        expires_at = self.start + timedelta(days=days) if days else None
        make.credits(self.tenant, amount, kind=kind, source=f"grant {len(self.grants)}", expires_at=expires_at)
        self.grants.append({"number": len(self.grants), "kind": kind, "days": days, "left": amount})

    @precondition(lambda self: self.grants)
    @rule(data=st.data())
    def grant_again(self, data: st.DataObject) -> None:
        grant = data.draw(st.sampled_from(self.grants))
        make.credits(self.tenant, 20, source=f"grant {grant['number']}")

    @rule(amount=st.integers(1, 30), key=st.sampled_from(["", "a", "b"]))
    def spend(self, amount: int, key: str) -> None:
        live = [grant for grant in self.grants if grant["days"] != -1]
        if key in self.keys:
            assert self._take(amount, key).id == self.keys[key]
        elif sum(grant["left"] for grant in live) < amount:
            with pytest.raises(InsufficientCredits):
                self._take(amount, key)
        else:
            entry = self._take(amount, key)
            if key:
                self.keys[key] = entry.id
            for grant in sorted(live, key=lambda grant: (grant["days"] or 999, grant["kind"], grant["number"])):
                taken = min(grant["left"], amount)
                grant["left"] -= taken
                amount -= taken

    @rule()
    def expire(self) -> None:
        over = [grant for grant in self.grants if grant["days"] == -1]

        assert CreditService.expire(self.tenant) == sum(grant["left"] for grant in over)
        for grant in over:
            grant["left"] = 0

    @invariant()
    def agrees_with_the_list(self) -> None:
        self.tenant.refresh_from_db()
        assert self.tenant.credits == sum(grant["left"] for grant in self.grants)
        assert self._remaining() == {f"grant {grant['number']}": grant["left"] for grant in self.grants}
        assert broken_invariants() == []

    def _take(self, amount: int, key: str) -> LedgerEntry:
        return CreditService.spend(self.tenant, amount, operation_type="image_generation", key=key)

    def _remaining(self) -> dict[str, int]:
        return dict(CreditGrant.objects.filter(account=self.tenant).values_list("source", "remaining"))
