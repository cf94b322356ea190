"""Row locks of billing, always after the account's (docs/locking.md)."""

import json
from decimal import Decimal
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import F, Func, TextField

from igny8_core.auth.models import Account
from igny8_core.business.billing.errors import InvoiceNotFound, PaymentNotFound
from igny8_core.business.billing.models import CreditCostConfig, Invoice, InvoiceLine, Payment, PaymentMethodConfig
from igny8_core.common.db import PreparedStatement, require_atomic
from igny8_core.common.errors import NotFound
from igny8_core.common.model_fields import AmountField

# The hot path of spending: four columns instead of a whole model, prepared. The plan is no join: who had to wait for
# the lock while the plan changed would find no row at all.
LOCK_BALANCE = PreparedStatement(
    name="igny8_lock_balance",
    types=("bigint",),
    sql="""
        SELECT account.credits,
               coalesce((SELECT terms_credits FROM igny8_subscriptions live WHERE live.account_id = account.id
                         AND live.status IN ('pending_payment', 'active', 'past_due')),
                        (SELECT included_credits FROM igny8_plans plan WHERE plan.id = account.plan_id)),
               account.status, account.suspended_reason
        FROM igny8_accounts account
        WHERE account.id = $1 FOR NO KEY UPDATE OF account
    """,
)
# The same with what one unit of an operation costs now. Only the account is read under the lock, the price as it is
# when the statement begins.
LOCK_BALANCE_AND_COST = PreparedStatement(
    name="igny8_lock_balance_and_cost",
    types=("bigint", "text"),
    sql="""
        SELECT account.credits,
               coalesce((SELECT terms_credits FROM igny8_subscriptions live WHERE live.account_id = account.id
                         AND live.status IN ('pending_payment', 'active', 'past_due')),
                        (SELECT included_credits FROM igny8_plans plan WHERE plan.id = account.plan_id)),
               account.status, account.suspended_reason, cost.credits_per_unit
        FROM igny8_accounts account
        LEFT JOIN igny8_credit_cost_config cost ON cost.operation_type = $2 AND cost.is_active
        WHERE account.id = $1 FOR NO KEY UPDATE OF account
    """,
)


def lock_invoice(account: Account, invoice_id: int) -> Invoice:
    """The account's invoice, read under its lock; `account` is locked already.

    Raises InvoiceNotFound for another account's invoice as for none.
    """
    require_atomic()
    try:
        invoice = Invoice.objects.select_for_update(no_key=True).get(account=account, pk=invoice_id)
    except Invoice.DoesNotExist:
        raise InvoiceNotFound() from None
    invoice.account = account
    return invoice


LINE_FIELDS = InvoiceLine._meta.concrete_fields
LINE_COLUMNS = [field.attname for field in LINE_FIELDS]
# What a decision reads of a payment, its invoice and its subscription. Building all columns of the three took a
# noticeable part of an approval (benchmarks/approve.py). Who reads another one adds it here: Django would load it with
# a query of its own, under the lock, which the tests refuse (tests/hidden_queries.py).
DECIDED_ON = (
    *("uuid", "account_id", "amount", "currency", "payment_method", "status", "manual_reference", "metadata"),
    *("stripe_payment_intent_id", "paypal_order_id", "refunded_amount", "approved_by", "needs_review", "review_reason"),
    *(f"invoice__{name}" for name in ("account_id", "invoice_number", "status", "currency", "total")),
    *(f"invoice__subscription__{name}" for name in ("account_id", "plan_id", "status", "billing_driver")),
    *(f"invoice__subscription__{name}" for name in ("current_period_end", "plan__slug", "plan__name")),
)
# The lines of the payment's invoice come in the same statement. They never change, so nothing is missed where the
# payment's lock had to be waited for.
LINES = Func(
    F("invoice_id"),
    template="""(
        SELECT json_agg(line ORDER BY line.position)::text
        FROM (SELECT line.*, plan.slug AS plan_slug, package.slug AS package_slug
              FROM igny8_invoice_lines line LEFT JOIN igny8_plans plan ON plan.id = line.plan_id
              LEFT JOIN igny8_credit_packages package ON package.id = line.package_id
              WHERE line.invoice_id = %(expressions)s) line
    )""",
    output_field=TextField(),
)


def lock_payment(account: Account, payment_id: int) -> Payment:
    """The account's payment with its invoice, both read under their locks; `account` is locked already.

    Raises PaymentNotFound for another account's payment as for none.
    """
    require_atomic()
    payments = Payment.objects.select_for_update(of=("self", "invoice"), no_key=True)
    try:
        decided = payments.select_related("invoice__subscription__plan").only(*DECIDED_ON).annotate(lines=LINES)
        payment = decided.get(account=account, pk=payment_id)
    except Payment.DoesNotExist:
        raise PaymentNotFound() from None
    payment.account = payment.invoice.account = account
    payment.invoice.keep_lines(_lines(payment.lines, payment.invoice))
    return payment


def _lines(text: str | None, invoice: Invoice) -> list[InvoiceLine]:
    lines = []
    for row in json.loads(text or "[]", parse_float=Decimal):
        line = InvoiceLine.from_db(DEFAULT_DB_ALIAS, LINE_COLUMNS, [_value(field, row) for field in LINE_FIELDS])
        line.plan_slug, line.package_slug = row["plan_slug"], row["package_slug"]
        line.invoice = invoice
        lines.append(line)
    return lines


def _value(field: Any, row: dict[str, Any]) -> Any:
    value = field.to_python(row[field.column])
    return field.from_db_value(value) if isinstance(field, AmountField) else value


def lock_balance(account: Account) -> tuple[int, int]:
    """Lock the account and read its balance and the credits of a period; `account` gets its status of now.

    Raises NotFound for an unknown id.
    """
    require_atomic()
    row = LOCK_BALANCE.fetch_one([account.pk])
    if row is None:
        raise NotFound()
    balance, included, account.status, account.suspended_reason = row
    return balance, included


def lock_balance_and_cost(account: Account, operation_type: str) -> tuple[tuple[int, int], int | None]:
    """Like lock_balance, and what one unit of the operation costs: None for one that is unknown or not in use.

    Raises NotFound for an unknown id.
    """
    require_atomic()
    row = LOCK_BALANCE_AND_COST.fetch_one([account.pk, operation_type])
    if row is None:
        raise NotFound()
    balance, included, account.status, account.suspended_reason, cost = row
    return (balance, included), cost


def lock_payment_method_config(config_id: int) -> PaymentMethodConfig:
    """The configured payment method, read under its lock; it belongs to no account. Raises NotFound."""
    require_atomic()
    try:
        return PaymentMethodConfig.objects.select_for_update(no_key=True).get(pk=config_id)
    except PaymentMethodConfig.DoesNotExist:
        raise NotFound() from None


def lock_credit_cost(cost_id: int) -> CreditCostConfig:
    """What an operation costs, read under its lock; it belongs to no account. Raises NotFound."""
    require_atomic()
    try:
        return CreditCostConfig.objects.select_for_update(no_key=True).get(pk=cost_id)
    except CreditCostConfig.DoesNotExist:
        raise NotFound() from None
