"""What the walk itself knows of money, credits and states, and what has to follow from it whatever the code thinks.

Nothing here asks the application's own rules: the moves are typed off (docs/domain.md section 3), the money is counted
at the stand-ins for the gateways and on the operator's bank statement.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection
from django.db.models import Q, Sum

from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Account, Subscription
from igny8_core.business.billing.models import (
    CreditGrant,
    CreditTransaction,
    Dispute,
    Invoice,
    Payment,
    Refund,
    Renewal,
)

AFTER_MONEY = {"partially_refunded", "refunded", "disputed"}
CAPTURED = {"succeeded"} | AFTER_MONEY
UNDER_WAY = {"pending_approval", "pending", "processing", "unknown"}
TRANSITIONS: dict[str, dict[str, set[str]]] = {
    "account": {
        "trial": {"active", "pending_payment", "suspended", "canceled"},
        "pending_payment": {"active", "canceled"},
        "active": {"past_due", "suspended", "canceled"},
        "past_due": {"active", "suspended", "canceled"},
        "suspended": {"active", "past_due", "canceled"},
        "canceled": {"pending_payment", "active"},
    },
    "subscription": {
        "pending_payment": {"active", "canceled"},
        "active": {"past_due", "canceled"},
        "past_due": {"active", "canceled"},
        "canceled": set(),
    },
    "invoice": {
        "draft": {"pending", "void"},
        "pending": {"paid", "void", "uncollectible"},
        "uncollectible": {"paid", "void"},
        "paid": set(),
        "void": set(),
    },
    "payment": {
        "pending_approval": {"succeeded", "failed", "canceled"},
        "pending": {"processing", "succeeded", "failed", "canceled", "unknown"},
        "processing": {"succeeded", "failed", "unknown"},
        "unknown": {"succeeded", "failed"},
        "succeeded": AFTER_MONEY,
        "partially_refunded": {"refunded", "disputed"},
        "disputed": {"refunded"},
        "refunded": set(),
        "failed": set(),
        "canceled": set(),
    },
    "refund": {
        "pending": {"processing", "unknown", "succeeded", "failed"},
        "processing": {"unknown", "succeeded", "failed"},
        "unknown": {"processing", "succeeded", "failed"},
        "succeeded": set(),
        "failed": set(),
    },
    "dispute": {"open": {"won", "lost", "closed"}, "won": {"lost"}, "closed": {"lost"}, "lost": set()},
}
TABLES = {
    "subscription": Subscription,
    "invoice": Invoice,
    "payment": Payment,
    "refund": Refund,
    "dispute": Dispute,
    "account": Account,
}
OF_PAYMENTS = {"payment": "payment_method, invoice_id"}
STATES = " UNION ALL ".join(
    f"SELECT '{kind}', id, status, {OF_PAYMENTS.get(kind, 'NULL, NULL::bigint')} FROM {model._meta.db_table} {{where}}"
    for kind, model in TABLES.items()
)
OF_ACCOUNT = STATES.replace("{where}", "WHERE account_id = %(account)s").replace(
    f"FROM {Account._meta.db_table} WHERE account_id", f"FROM {Account._meta.db_table} WHERE id"
)
OF_ALL = STATES.replace("{where}", "")
BALANCE = """
    SELECT credits, (SELECT coalesce(sum(amount), 0) FROM igny8_credit_transactions WHERE account_id = %(account)s),
           (SELECT coalesce(sum(remaining), 0) FROM igny8_credit_grants WHERE account_id = %(account)s)
    FROM igny8_accounts WHERE id = %(account)s
"""


@dataclass(frozen=True)
class Order:
    """What somebody ordered, as it was offered to them then: `credits` come with the money, once."""

    account: int
    total: Decimal
    currency: str
    credits: int
    kind: str


class Facts:
    """The walk's own books. `states` is what was seen last: kind, then id, then status.

    `methods` and `invoices` say of payments how and for what they came.
    """

    def __init__(self, stripe: FakeStripe, paypal: FakePayPal) -> None:
        self._stripe = stripe
        self._paypal = paypal
        self.orders: dict[int, Order] = {}
        self.approved: set[int] = set()
        self.given_back: dict[int, Decimal] = defaultdict(Decimal)
        self.given: Counter[int] = Counter()
        self.spent: Counter[int] = Counter()
        self.methods: dict[int, str] = {}
        self.invoices: dict[int, int] = {}
        self.states: dict[str, dict[int, str]] = {kind: {} for kind in TRANSITIONS}

    def unpaid(self) -> list[int]:
        """Invoices that wait for somebody to begin to pay them."""
        begun = {self.invoices[pk] for pk, status in self.states["payment"].items() if status in UNDER_WAY}
        return [pk for pk, status in self.states["invoice"].items() if status == "pending" and pk not in begun]

    def paid(self, kind: str) -> int:
        """How many orders of a kind were paid."""
        return sum(self.states["invoice"][pk] == "paid" for pk, order in self.orders.items() if order.kind == kind)

    def look(self, account: int | None = None) -> None:
        """See how far everything has come, of an account or of all, and that nothing went back."""
        with connection.cursor() as cursor:
            cursor.execute(OF_ACCOUNT if account else OF_ALL, {"account": account})
            for kind, row, status, method, invoice in cursor.fetchall():
                before = self.states[kind].get(row, status)
                assert status == before or status in _after(kind, before), f"{kind} {row}: {before} became {status}"
                self.states[kind][row] = status
                if method:
                    self.methods[row], self.invoices[row] = method, invoice
            if account:
                cursor.execute(BALANCE, {"account": account})
                credits, ledger, grants = cursor.fetchone()
                assert credits == ledger == grants, f"account {account}: {credits}, ledger {ledger}, grants {grants}"

    def check(self, *, at_the_end: bool = False) -> None:
        """Compare money and credits with the books. Before the end messages may not have come yet."""
        self.look()
        self._check_payments(at_the_end)
        self._check_credits()

    def _check_payments(self, at_the_end: bool) -> None:
        taken, returned = self._at_gateways()
        paid: dict[int, Decimal] = defaultdict(Decimal)
        for payment in Payment.objects.all():
            what = f"payment {payment.pk} ({payment.payment_method}, {payment.status})"
            order = self.orders[payment.invoice_id]
            is_captured = payment.status in CAPTURED
            assert (payment.account_id, payment.amount, payment.currency) == (
                order.account,
                order.total,
                order.currency,
            ), f"{what} is not what was ordered"
            is_void = self.states["invoice"][payment.invoice_id] == "void"
            assert not (is_void and payment.status in UNDER_WAY), f"{what} goes on for a void invoice"
            if is_captured:
                paid[payment.invoice_id] += payment.amount
            money_in = payment.amount if is_captured else Decimal(0)
            money_out = payment.refunded_amount
            if payment.payment_method in {"stripe", "paypal"}:
                came, went = taken[str(payment.uuid)], returned[str(payment.uuid)]
                assert came >= money_in, f"{what}: {came} came"
                assert went >= money_out, f"{what}: {went} went back, booked {money_out}"
                if at_the_end and not payment.needs_review:
                    kept, booked = came - went, money_in - money_out
                    assert kept == booked, f"{what}: the gateway has {kept} of it, booked {booked}"
            else:
                assert is_captured == (payment.pk in self.approved), f"{what} was not decided so"
                assert money_out == self.given_back[payment.pk], f"{what}: {self.given_back[payment.pk]} went back"
        for invoice, status in self.states["invoice"].items():
            due = self.orders[invoice].total if status == "paid" else Decimal(0)
            assert paid[invoice] == due, f"invoice {invoice} is {status}: {paid[invoice]} paid"

    def _at_gateways(self) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
        """What came and what went back, by our reference."""
        taken: dict[str, Decimal] = defaultdict(Decimal)
        returned: dict[str, Decimal] = defaultdict(Decimal)
        references = {}
        for charge in self._stripe.all("charge"):
            references[charge["id"]] = reference = charge["metadata"]["payment_id"]
            taken[reference] += _amount(charge) if charge["paid"] else 0
        for kind, gone in (("refund", "succeeded"), ("dispute", "lost")):
            for thing in self._stripe.all(kind):
                returned[references[thing["charge"]]] += _amount(thing) if thing["status"] == gone else 0
        for capture in self._paypal.captures.values():
            reference = capture.order.names["custom_id"]
            taken[reference] += capture.amount if capture.status not in {"PENDING", "DECLINED"} else 0
            returned[reference] += capture.refunded
        return taken, returned

    def _check_credits(self) -> None:
        promised = Counter(self.given)
        # A period that is paid for early brings its credits when it begins.
        ahead = {*Renewal.objects.filter(status="paid").values_list("invoice_id", flat=True)}
        for invoice, order in self.orders.items():
            if self.states["invoice"][invoice] == "paid" and invoice not in ahead:
                promised[order.account] += order.credits
        used = Q(transaction_type="usage")
        sums = CreditTransaction.objects.values("account").annotate(
            granted=Sum("amount", filter=Q(amount__gt=0)), spent=Sum("amount", filter=used)
        )
        ledger = {row["account"]: (row["granted"] or 0, -(row["spent"] or 0)) for row in sums.order_by()}
        for account in self.states["account"]:
            granted, spent = ledger.get(account, (0, 0))
            assert granted == promised[account], f"account {account} got {granted} credits of {promised[account]}"
            assert spent == self.spent[account], f"account {account} spent {self.spent[account]}, booked {spent}"
        for pk, credits in Account.objects.values_list("pk", "credits"):
            assert credits <= promised[pk] - self.spent[pk], f"account {pk} has {credits} credits"
        self._check_what_was_taken_back()

    def _check_what_was_taken_back(self) -> None:
        """Of credits whose money went back no more is left than the rest of the money still pays for."""
        grants = {(grant.account_id, grant.source): grant for grant in CreditGrant.objects.all()}
        for payment in Payment.objects.filter(refunded_amount__gt=0):
            names = (f"payment:{payment.pk}", f"invoice:{payment.invoice_id}")
            for grant in (grants.get((payment.account_id, name)) for name in names):
                if grant:
                    gone = int(grant.amount * payment.refunded_amount // payment.amount)
                    assert grant.remaining <= grant.amount - gone, (
                        f"payment {payment.pk} went back, {grant.remaining} left"
                    )


def _after(kind: str, status: str) -> set[str]:
    """All that can come after a status, in however many moves."""
    reached: set[str] = set()
    ahead = {status}
    while ahead:
        ahead = set().union(*(TRANSITIONS[kind][each] for each in ahead)) - reached
        reached |= ahead
    return reached


def _amount(thing: dict[str, object]) -> Decimal:
    """In the currency's own unit; the walk has no currency with three decimals."""
    return Decimal(str(thing["amount"])) / (1 if thing["currency"] == "jpy" else 100)
