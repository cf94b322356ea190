"""What the operators and the banks do: they approve on working days, change a price, and decide disputes."""

import random
from datetime import datetime, timedelta
from decimal import Decimal

from igny8_core.auth.models import Plan, User
from igny8_core.business.billing.errors import PlanChangeOutdated
from igny8_core.business.billing.models import CAPTURED_STATUSES, Payment, PaymentStatus
from igny8_core.business.billing.services.payments.offline import approve_manual_payment, reject_manual_payment
from igny8_core.business.billing.services.reconciliation.polling import return_money
from igny8_core.business.billing.services.renewals.price_changes import change_price
from igny8_core.business.billing.services.subscriptions.decisions import order_again
from igny8_core.common import clock
from igny8_core.common.errors import DomainError
from simulation.money import Purse

SATURDAY = 5
NOTICE = timedelta(days=45)
REJECTED = 0.03


class Operators:
    """One operator who works from Monday to Friday, and the banks that decide disputes."""

    def __init__(self, purse: Purse, seed: int) -> None:
        self.somebody = User.objects.create_superuser("operator@example.com", "a password of nobody, 4712")
        self._purse = purse
        self._pick = random.Random(f"operators:{seed}")
        self._disputes: list[tuple[datetime, str, bool]] = []

    def work(self) -> None:
        """A working day: decide on what waits. At the weekend nothing."""
        if clock.now().weekday() >= SATURDAY:
            return
        waiting = Payment.objects.filter(status=PaymentStatus.PENDING_APPROVAL).select_related("account", "invoice")
        for payment in waiting.order_by("pk"):
            self._decide(payment)
        for payment in Payment.objects.filter(needs_review=True).select_related("account", "invoice").order_by("pk"):
            self._look_at(payment)

    def raise_a_price(self) -> None:
        """Order another price for a plan that many have."""
        plan = Plan.objects.get(slug="growth")
        day = (clock.now() + NOTICE).date()
        self._purse.attempt("raised a price", lambda: change_price(plan, Decimal("149.00"), day, None, self.somebody))

    def decided_by_bank(self, dispute: str, moment: datetime, *, won: bool) -> None:
        """Note when a bank decides a dispute, and how."""
        self._disputes.append((moment, dispute, won))

    def banks_decide(self) -> None:
        """Close the disputes whose time has come."""
        due = [each for each in self._disputes if each[0] <= clock.now()]
        self._disputes = [each for each in self._disputes if each[0] > clock.now()]
        for _, dispute, won in due:
            self._purse.stripe.close_dispute(dispute, won=won)
            self._purse.done["disputes won" if won else "disputes lost"] += 1

    def _decide(self, payment: Payment) -> None:
        if payment.is_flagged_duplicate:
            self._reject(payment, "already_used")
        elif self._pick.random() < REJECTED:
            self._reject(payment, "not_found")
        else:
            self._approve(payment)

    def _look_at(self, payment: Payment) -> None:
        """Money that could not be booked goes back. A lost dispute or the like needs no more than a look."""
        if payment.status not in CAPTURED_STATUSES:
            self._purse.attempt("returned money", lambda: return_money(payment, self.somebody))

    def _approve(self, payment: Payment) -> None:
        try:
            approve_manual_payment(payment, self.somebody)
        except PlanChangeOutdated:
            self._purse.attempt("changes ordered again", lambda: order_again(payment, self.somebody))
        except DomainError as refusal:
            self._purse.refused[f"approved a payment: {refusal.code}"] += 1
            self._reject(payment, "not_found")
        else:
            self._purse.done["approved payments"] += 1

    def _reject(self, payment: Payment, code: str) -> None:
        self._purse.attempt(
            "rejected payments", lambda: reject_manual_payment(payment, "", self.somebody, reason_code=code)
        )
