"""Many payments that are approved together leave the rows and the sentences that they leave one by one."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
import time_machine
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from igny8_core.auth.models import Account, AccountStatus, Plan, Subscription, User
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import CreditGrantKind, CreditTransactionType, Invoice, Payment
from igny8_core.business.billing.pricing import package_line
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.payments.approving_many import Outcome, Selected, approve_many, decide_alone
from igny8_core.business.billing.services.payments.offline import approve_locked
from igny8_core.business.billing.services.renewals.invoicing import invoice_due_renewals
from igny8_core.business.billing.services.settlement import Settlement
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from tests import make
from tests.api.world import undone
from tests.billing.renewing import END, START, WEEK_BEFORE, at, renewal_of, running
from tests.cases import some_of

pytestmark = pytest.mark.django_db

EARLY, LATE = WEEK_BEFORE + timedelta(days=1), END + timedelta(days=1)


def first_plan(operator: User) -> Payment:
    return make.submitted_payment()


def consulting(operator: User) -> Payment:
    return make.submitted_payment(make.invoice())


def in_euros(operator: User) -> Payment:
    return make.submitted_payment(make.invoice(currency="EUR"))


def package(operator: User) -> Payment:
    return _package(make.owner().account)


def package_that_expires(operator: User) -> Payment:
    return _package(make.owner().account, slug="short", valid_days=30)


def of_renewal(operator: User) -> Payment:
    subscription = at(START, running, None, operator)
    at(WEEK_BEFORE, invoice_due_renewals)
    return make.submitted_payment(renewal_of(subscription).invoice)


def of_renewal_past_due(operator: User) -> Payment:
    payment = of_renewal(operator)
    Subscription.objects.filter(account=payment.account_id).update(status="past_due")
    Account.objects.filter(pk=payment.account_id).update(status=AccountStatus.PAST_DUE)
    return payment


def of_renewal_to_another_plan(operator: User) -> Payment:
    subscription = at(START, running, make.plan("growth", price=Decimal("199.00")), operator)
    SubscriptionService.downgrade_subscription(subscription, make.plan())
    at(WEEK_BEFORE, invoice_due_renewals)
    return make.submitted_payment(renewal_of(subscription).invoice)


def plan_change(operator: User) -> Payment:
    subscription = at(START, running, None, operator)
    growth = make.plan("growth", price=Decimal("199.00"))
    at(START + timedelta(days=10), SubscriptionService.upgrade_subscription, subscription, growth)
    return make.submitted_payment(Invoice.objects.filter(subscription=subscription).latest("pk"))


def plan_change_of_another_price(operator: User) -> Payment:
    payment = plan_change(operator)
    Plan.objects.filter(slug="growth").update(price=Decimal("299.00"))
    return payment


def rejected_before(operator: User) -> Payment:
    return PaymentService.reject_manual_payment(first_plan(operator), "", operator)


def approved_before(operator: User) -> Payment:
    return PaymentService.approve_manual_payment(first_plan(operator), operator).payment


def of_another_amount(operator: User) -> Payment:
    payment = consulting(operator)
    Payment.objects.filter(pk=payment.pk).update(amount=Decimal("88.99"))
    return payment


def of_another_currency(operator: User) -> Payment:
    payment = first_plan(operator)
    Payment.objects.filter(pk=payment.pk).update(currency="EUR")
    return payment


def repeated(operator: User) -> Payment:
    first = make.submitted_payment(make.invoice(), reference="Same 1")
    make.submitted_payment(make.invoice(), reference="same-1")
    return first


def of_suspended(operator: User) -> Payment:
    payment = first_plan(operator)
    held = {"status": AccountStatus.SUSPENDED, "suspended_reason": "operator"}
    Account.objects.filter(pk=payment.account_id).update(**held)
    return payment


def of_unpaid(operator: User) -> Payment:
    payment = of_renewal_past_due(operator)
    held = {"status": AccountStatus.SUSPENDED, "suspended_reason": "non_payment"}
    Account.objects.filter(pk=payment.account_id).update(**held)
    return payment


def of_canceled(operator: User) -> Payment:
    payment = first_plan(operator)
    Subscription.objects.filter(account=payment.account_id).update(status="canceled")
    Account.objects.filter(pk=payment.account_id).update(status=AccountStatus.CANCELED)
    return payment


def of_void_invoice(operator: User) -> Payment:
    payment = consulting(operator)
    Invoice.objects.filter(pk=payment.invoice_id).update(status="void", void_reason="By mistake")
    return payment


def of_own_account(operator: User) -> Payment:
    return make.submitted_payment(make.invoice(operator.account))


def another_of_that_account(operator: User) -> Payment:
    newest = Payment.objects.exclude(account=operator.account_id).order_by("pk").last()
    return _package(newest.account if newest else make.owner().account)


def granted_before(operator: User) -> Payment:
    payment = package(operator)
    kind = {"kind": CreditGrantKind.PURCHASE, "transaction_type": CreditTransactionType.PURCHASE}
    make.credits(payment.account, 2000, source=f"invoice:{payment.invoice_id}", **kind)
    return payment


def _package(tenant: Any, **fields: Any) -> Payment:
    return make.submitted_payment(make.invoice(tenant, line_items=[package_line(make.credit_package(**fields))]))


KINDS: list[Callable[[User], Payment]] = [
    *(first_plan, consulting, in_euros, package, package_that_expires, of_renewal, of_renewal_past_due),
    *(of_renewal_to_another_plan, plan_change, plan_change_of_another_price, rejected_before, approved_before),
    *(of_another_amount, of_another_currency, repeated, of_suspended, of_unpaid, of_canceled, of_void_invoice),
    *(of_own_account, another_of_that_account, granted_before),
]
# Their rows are written as sets; the others need more of the database, or are refused.
USUAL = [first_plan, consulting, in_euros, package, package_that_expires, of_renewal, of_renewal_past_due]
ROWS = {
    "igny8_payments": "id",
    "igny8_invoices": "id",
    "igny8_subscriptions": "id",
    "igny8_accounts": "id",
    "igny8_renewals": "id",
    "igny8_credit_grants": "account_id, source",
    "igny8_credit_transactions": "account_id, source, transaction_type",
    "igny8_allocations": "invoice_id, payment_id",
}
# The ids of new rows are other ones each time.
NEW = {"igny8_credit_grants", "igny8_credit_transactions", "igny8_allocations"}
EVENTS = """
    SELECT event.account_id, event.type, event.object_type, event.actor_id, event.data, event.created_at::text,
           CASE WHEN event.object_type = 'billing.credittransaction'
                THEN (SELECT source FROM igny8_credit_transactions entry WHERE entry.id::text = event.object_id)
                ELSE event.object_id END,
           (SELECT string_agg(concat_ws(' ', consumer, status, next_attempt_at), ', ' ORDER BY consumer)
            FROM igny8_event_deliveries delivery WHERE delivery.event_id = event.id)
    FROM igny8_events event ORDER BY event.account_id, event.id
"""


def rows() -> dict[str, Any]:
    found: dict[str, Any] = {}
    with connection.cursor() as cursor:
        for table, order in ROWS.items():
            cursor.execute(f"SELECT to_jsonb(row) FROM {table} row ORDER BY {order}")
            found[table] = [json.loads(row) if isinstance(row, str) else row for (row,) in cursor.fetchall()]
            for row in found[table] if table in NEW else []:
                del row["id"]
        cursor.execute(EVENTS)
        found["events"] = cursor.fetchall()
    return found


def kept(work: Callable[[Any], None]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    work(outcomes.extend)
    return sorted(outcomes, key=lambda outcome: outcome.payment_id)


def one_by_one(selected: list[Selected], approve: Callable[[Payment], Settlement], keep: Any) -> None:
    for each in selected:
        decide_alone(each, approve, keep)


def approving(operator: User, note: str, *, override: bool) -> Callable[[Payment], Settlement]:
    return partial(approve_locked, approved_by=operator, admin_notes=note, override_duplicate=override)


@settings(max_examples=6, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=10),
    moment=st.sampled_from([EARLY, LATE]),
    note=st.sampled_from(["", "Line 14"]),
    override=st.booleans(),
)
def test_together_and_one_by_one_leave_the_same(
    kinds: list[Callable[[User], Payment]], moment: datetime, note: str, override: bool
) -> None:
    with undone():
        require_the_same(kinds, moment, note, override=override)


@pytest.mark.parametrize("moment", some_of([EARLY, LATE], each=2))
def test_one_of_each_kind(moment: datetime) -> None:
    require_the_same(KINDS, moment, "Line 14", override=True)


def require_the_same(kinds: list[Callable[[User], Payment]], moment: datetime, note: str, *, override: bool) -> None:
    operator = at(START, make.operator, account=make.owner().account, role="admin")
    selected = []
    for kind in kinds:
        with time_machine.travel(EARLY, tick=False):
            payment = kind(operator)
        selected.append(Selected(payment.pk, payment.account_id))
    approve = approving(operator, note, override=override)
    with time_machine.travel(moment, tick=False):
        with undone():
            alone = kept(partial(one_by_one, selected, approve)), rows()
        together = kept(partial(approve_many, selected, approve)), rows()

    assert together[0] == alone[0]
    for table, expected in alone[1].items():
        assert together[1][table] == expected, table


def test_what_is_usual_takes_no_statement_of_its_own(django_assert_max_num_queries: Any) -> None:
    operator = make.operator()
    with time_machine.travel(EARLY, tick=False):
        payments = [kind(operator) for kind in USUAL for _ in range(2)]
    selected = [Selected(payment.pk, payment.account_id) for payment in payments]

    with time_machine.travel(LATE, tick=False), django_assert_max_num_queries(26):
        outcomes = kept(partial(approve_many, selected, approving(operator, "", override=False)))

    assert [outcome.is_decided for outcome in outcomes] == [True] * len(payments)
    assert [found for found in at(LATE, broken_invariants) if found.violations and found.number != 15] == []
