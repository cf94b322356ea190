"""Row locks of billing, always after the account's (docs/locking.md)."""

from igny8_core.auth.models import Account
from igny8_core.business.billing.errors import InvoiceNotFound, PaymentNotFound
from igny8_core.business.billing.models import CreditCostConfig, Invoice, Payment, PaymentMethodConfig
from igny8_core.common.db import PreparedStatement, require_atomic
from igny8_core.common.errors import NotFound

# The hot path of spending: four columns instead of a whole model, prepared. The plan is no join: who had to wait for
# the lock while the plan changed would find no row at all.
LOCK_BALANCE = PreparedStatement(
    name="igny8_lock_balance",
    types=("bigint",),
    sql="""
        SELECT account.credits, (SELECT included_credits FROM igny8_plans plan WHERE plan.id = account.plan_id),
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
        SELECT account.credits, (SELECT included_credits FROM igny8_plans plan WHERE plan.id = account.plan_id),
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


# What a decision reads of a payment, its invoice and its subscription. Building all columns of the three took a
# noticeable part of an approval (benchmarks/approve.py). Who reads another one adds it here: Django would load it with
# a query of its own, under the lock, which the tests refuse (tests/hidden_queries.py).
DECIDED_ON = (
    *("uuid", "account_id", "amount", "currency", "payment_method", "status", "manual_reference", "metadata"),
    *("gateway_object_id", "refunded_amount", "approved_by", "needs_review", "review_reason"),
    *(f"invoice__{name}" for name in ("account_id", "invoice_number", "status", "currency", "total", "line_items")),
    *(f"invoice__subscription__{name}" for name in ("account_id", "plan_id", "status", "billing_driver")),
    *("invoice__subscription__current_period_end", "invoice__subscription__plan__slug"),
)


def lock_payment(account: Account, payment_id: int) -> Payment:
    """The account's payment with its invoice, both read under their locks; `account` is locked already.

    Raises PaymentNotFound for another account's payment as for none.
    """
    require_atomic()
    payments = Payment.objects.select_for_update(of=("self", "invoice"), no_key=True)
    try:
        decided = payments.select_related("invoice__subscription__plan").only(*DECIDED_ON)
        payment = decided.get(account=account, pk=payment_id)
    except Payment.DoesNotExist:
        raise PaymentNotFound() from None
    payment.account = payment.invoice.account = account
    return payment


def lock_balance(account: Account) -> tuple[int, int]:
    """Lock the account and read its balance and its plan's included credits; `account` gets its status of now.

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
