"""Billing's row locks, always taken after the account's (docs/locking.md). The credit ledger's are in ledger.py."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import DateTimeField

from igny8_core.auth.models import Account, Plan, Subscription
from igny8_core.business.billing.errors import InvoiceNotFound, PaymentNotFound
from igny8_core.business.billing.models import (
    CreditCostConfig,
    Invoice,
    InvoiceLine,
    Payment,
    PaymentMethodConfig,
    PlanPriceChange,
    Renewal,
)
from igny8_core.common.db import PreparedStatement, require_atomic
from igny8_core.common.errors import NotFound
from igny8_core.common.model_fields import AmountField
from igny8_core.common.prepared_rows import Columns, joined_rows


def lock_invoice(account: Account, invoice_id: int) -> Invoice:
    """The account's invoice, read under its lock. `account` is already locked.

    Raises InvoiceNotFound, also for another account's invoice.
    """
    require_atomic()
    try:
        invoice = Invoice.objects.select_for_update(no_key=True).get(account=account, pk=invoice_id)
    except Invoice.DoesNotExist:
        raise InvoiceNotFound() from None
    invoice.account = account
    return invoice


# The columns that a decision reads of a payment, its invoice, and the invoice's subscription and plan. Loading all
# columns took a noticeable part of an approval (benchmarks/approve.py). If you read another column, add it here:
# otherwise Django loads it with a query of its own under the lock, which the tests refuse (tests/hidden_queries.py).
_PAYMENT = Columns(
    Payment,
    *("uuid", "account", "invoice", "amount", "currency", "payment_method", "status", "manual_reference", "metadata"),
    *("gateway_object_id", "refunded_amount", "approved_by", "needs_review", "review_reason", "is_repeated"),
    *("reference_key", "reference_fold", "proof"),
)
_INVOICE = Columns(Invoice, "account", "subscription", "invoice_number", "status", "currency", "total")
_SUBSCRIPTION = Columns(
    Subscription,
    *("account", "plan", "pending_plan", "status", "billing_driver", "current_period_end", "billing_anchor"),
)
_RENEWAL = Columns(Renewal)
_PLAN = Columns(Plan, "slug", "name")
_LINE_FIELDS = InvoiceLine._meta.concrete_fields
_LINE_NAMES = [field.attname for field in _LINE_FIELDS]
# JSON has no times and no decimals, so these columns are converted.
_LINE_CONVERSIONS = {
    field.column: field.from_db_value if isinstance(field, AmountField) else field.to_python
    for field in _LINE_FIELDS
    if isinstance(field, AmountField | DateTimeField)
}
# The lines of the payment's invoice come in the same statement. They never change, so they are still right if the
# statement had to wait for the lock.
_LINES = """(
    SELECT json_agg(line ORDER BY line.position)::text
    FROM (SELECT line.*, plan.slug AS plan_slug, package.slug AS package_slug
          FROM igny8_invoice_lines line LEFT JOIN igny8_plans plan ON plan.id = line.plan_id
          LEFT JOIN igny8_credit_packages package ON package.id = line.package_id
          WHERE line.invoice_id = payment.invoice_id) line
)"""
_SELECT = f"""
    SELECT {_PAYMENT.sql("payment")}, {_INVOICE.sql("invoice")}, {_SUBSCRIPTION.sql("subscription")},
           {_PLAN.sql("plan")}, {_RENEWAL.sql("renewal")}, {_LINES}
    FROM igny8_payments payment JOIN igny8_invoices invoice ON invoice.id = payment.invoice_id
    LEFT JOIN igny8_subscriptions subscription ON subscription.id = invoice.subscription_id
    LEFT JOIN igny8_plans plan ON plan.id = subscription.plan_id
    LEFT JOIN igny8_renewals renewal ON renewal.invoice_id = invoice.id
"""  # noqa: S608 - names of columns, from the models
LOCK_PAYMENT = PreparedStatement(
    name="igny8_lock_payment",
    types=("bigint", "bigint"),
    sql=f"{_SELECT} WHERE payment.account_id = $1 AND payment.id = $2 FOR NO KEY UPDATE OF payment, invoice",
)
LOCK_PAYMENTS = PreparedStatement(
    name="igny8_lock_payments",
    types=("bigint[]", "bigint[]"),
    sql=f"""{_SELECT} WHERE payment.account_id = ANY ($1) AND payment.id = ANY ($2)
        ORDER BY payment.id FOR NO KEY UPDATE OF payment, invoice""",
)


def lock_payment(account: Account, payment_id: int) -> Payment:
    """The account's payment with its invoice, both read under their locks, and the renewal that it pays.

    `account` is already locked. Raises PaymentNotFound, also for another account's payment.
    """
    require_atomic()
    row = LOCK_PAYMENT.fetch_one([account.pk, payment_id])
    if row is None:
        raise PaymentNotFound()
    return _payment(row, {account.pk: account})


def lock_payments(accounts: Mapping[int, Account], payment_ids: Sequence[int]) -> list[Payment]:
    """The payments of these accounts, by id, as lock_payment reads one. The accounts are already locked.

    Those that do not exist or are of other accounts are left out.
    """
    require_atomic()
    return [_payment(row, accounts) for row in LOCK_PAYMENTS.fetch_all([list(accounts), list(payment_ids)])]


def _payment(row: tuple[Any, ...], accounts: Mapping[int, Account]) -> Payment:
    columns = (_PAYMENT, _INVOICE, _SUBSCRIPTION, _PLAN, _RENEWAL)
    payment, invoice, subscription, plan, renewal = joined_rows(row, *columns)
    payment.account = invoice.account = accounts[payment.account_id]
    payment.invoice, invoice.subscription = invoice, subscription
    if subscription is not None:
        subscription.plan = plan
    invoice.keep_renewal(renewal)
    invoice.keep_lines(_lines(row[-1], invoice))
    return payment  # type: ignore[no-any-return]


def _lines(text: str | None, invoice: Invoice) -> list[InvoiceLine]:
    lines = []
    for row in json.loads(text or "[]", parse_float=Decimal):
        for column, convert in _LINE_CONVERSIONS.items():
            row[column] = convert(row[column])
        line = InvoiceLine.from_db(DEFAULT_DB_ALIAS, _LINE_NAMES, [row[field.column] for field in _LINE_FIELDS])
        line.plan_slug, line.package_slug = row["plan_slug"], row["package_slug"]
        line.invoice = invoice
        lines.append(line)
    return lines


def lock_payment_method_config(config_id: int) -> PaymentMethodConfig:
    """The configured payment method, read under its lock. It belongs to no account. Raises NotFound."""
    require_atomic()
    try:
        return PaymentMethodConfig.objects.select_for_update(no_key=True).get(pk=config_id)
    except PaymentMethodConfig.DoesNotExist:
        raise NotFound() from None


def lock_credit_cost(cost_id: int) -> CreditCostConfig:
    """What an operation costs, read under its lock. It belongs to no account. Raises NotFound."""
    require_atomic()
    try:
        return CreditCostConfig.objects.select_for_update(no_key=True).get(pk=cost_id)
    except CreditCostConfig.DoesNotExist:
        raise NotFound() from None


def lock_price_change(change_id: int) -> PlanPriceChange:
    """A change of price with its plan, read under its lock. It belongs to no account. Raises NotFound."""
    require_atomic()
    try:
        changes = PlanPriceChange.objects.select_for_update(of=("self",), no_key=True).select_related("plan")
        return changes.get(pk=change_id)
    except PlanPriceChange.DoesNotExist:
        raise NotFound() from None
