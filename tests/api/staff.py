"""The operators' routes: which permission each names, how each is called rightly, and what it takes."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone

if TYPE_CHECKING:
    from tests.api.world import World

PREFIX = "api/v1/admin/"
ACCOUNT = "accounts/<int64:account_id>/"
INVOICE = "invoices/<int64:invoice_id>/"
PAYMENT = "payments/<int64:payment_id>/"
CONFIG = "payment-methods/<int64:config_id>/"
COST = "credit-costs/<int64:cost_id>/"
SUBSCRIPTION = "subscriptions/<int64:subscription_id>/"
RENEWAL = "renewals/<int64:renewal_id>/"


@dataclass(frozen=True)
class Operation:
    """A method of a route, the permissions that it needs (all of them), and what it answers to who has them."""

    method: str
    path: str
    permissions: tuple[str, ...]
    status: int = 200
    fields: str = ""

    @property
    def route(self) -> str:
        return PREFIX + self.path

    @property
    def moves_money(self) -> bool:
        """Whether a repeat must not do it twice: the route honours an Idempotency-Key."""
        actions = ("adjust-credits", "create", "void", "approve", "reject", "refund", "end", "change", "retry")
        return self.path.split("/")[-2] in actions


REJECTION = "reason_code reason internal_note admin_notes"
OPERATIONS = [
    Operation("GET", "accounts/", ("igny8_auth.view_account",)),
    Operation("GET", ACCOUNT, ("igny8_auth.view_account",)),
    Operation("POST", f"{ACCOUNT}suspend/", ("igny8_auth.suspend_account",), fields="reason"),
    Operation("POST", f"{ACCOUNT}activate/", ("igny8_auth.suspend_account",), fields="reason"),
    Operation("POST", f"{ACCOUNT}adjust-credits/", ("igny8_auth.adjust_credits",), fields="amount reason"),
    Operation("GET", f"{ACCOUNT}dunning/", ("igny8_auth.view_account", "billing.view_invoice")),
    Operation("POST", f"{ACCOUNT}exempt/", ("igny8_auth.decide_dunning",), fields="until reason"),
    Operation("POST", f"{ACCOUNT}extend-trial/", ("igny8_auth.decide_dunning",), fields="until reason"),
    Operation("GET", "subscriptions/", ("igny8_auth.view_subscription",)),
    Operation("GET", SUBSCRIPTION, ("igny8_auth.view_subscription",)),
    Operation("POST", f"{SUBSCRIPTION}end/", ("igny8_auth.end_subscription",), fields="at_period_end reason"),
    Operation("POST", f"{SUBSCRIPTION}change/", ("igny8_auth.change_subscription_plan",), fields="plan_slug reason"),
    Operation("GET", "renewals/", ("billing.view_renewal",)),
    Operation("GET", "renewals/counts/", ("billing.view_renewal",)),
    Operation("GET", RENEWAL, ("billing.view_renewal",)),
    Operation("POST", f"{RENEWAL}retry/", ("billing.retry_renewal",)),
    Operation("GET", "invoices/", ("billing.view_invoice",)),
    Operation(
        "POST",
        "invoices/create/",
        ("billing.add_invoice",),
        201,
        "account line_items due_date notes purchase_order_number send",
    ),
    Operation("GET", INVOICE, ("billing.view_invoice",)),
    Operation("POST", f"{INVOICE}void/", ("billing.void_invoice",), fields="reason"),
    Operation(
        "POST",
        f"{INVOICE}extend-deadline/",
        ("billing.view_invoice", "igny8_auth.decide_dunning"),
        fields="until reason",
    ),
    Operation("GET", f"{INVOICE}pdf/", ("billing.view_invoice",)),
    Operation("GET", "payments/", ("billing.view_payment",)),
    Operation("GET", PAYMENT, ("billing.view_payment",)),
    Operation("GET", f"{PAYMENT}proof/", ("billing.view_payment",)),
    Operation("POST", f"{PAYMENT}approve/", ("billing.approve_payment",), fields="admin_notes override_duplicate"),
    Operation("POST", f"{PAYMENT}reject/", ("billing.approve_payment",), fields=REJECTION),
    Operation("POST", f"{PAYMENT}refund/", ("billing.refund_payment",), fields="amount reason reference"),
    Operation("GET", "payment-methods/", ("billing.view_paymentmethodconfig",)),
    Operation(
        "POST",
        "payment-methods/",
        ("billing.add_paymentmethodconfig",),
        201,
        "country_code payment_method display_name is_enabled instructions bank_name account_title account_number"
        " routing_number swift_code iban wallet_type wallet_id sort_order",
    ),
    Operation("GET", CONFIG, ("billing.view_paymentmethodconfig",)),
    Operation(
        "PATCH",
        CONFIG,
        ("billing.change_paymentmethodconfig",),
        fields="country_code payment_method display_name is_enabled instructions bank_name account_title account_number"
        " routing_number swift_code iban wallet_type wallet_id sort_order",
    ),
    Operation("DELETE", CONFIG, ("billing.delete_paymentmethodconfig",)),
    Operation("GET", "credit-costs/", ("billing.view_creditcostconfig",)),
    Operation(
        "POST",
        "credit-costs/",
        ("billing.add_creditcostconfig",),
        201,
        "operation_type display_name credits_per_unit unit is_active",
    ),
    Operation(
        "PATCH", COST, ("billing.change_creditcostconfig",), fields="display_name credits_per_unit unit is_active"
    ),
    Operation("GET", "dashboard/stats/", ("billing.view_payment", "igny8_auth.view_account")),
]
WRITABLE = [(operation.method, operation.route, "operator") for operation in OPERATIONS if operation.fields]
LISTS = [
    f"{PREFIX}{name}/"
    for name in ("accounts", "subscriptions", "renewals", "invoices", "payments", "payment-methods", "credit-costs")
]
PERMISSIONS = sorted({permission for operation in OPERATIONS for permission in operation.permissions})


def accepted() -> dict[tuple[str, str], str]:
    """Fields that each operation takes, by method and route."""
    return {(operation.method, operation.route): operation.fields for operation in OPERATIONS}


def bodies(world: "World") -> dict[tuple[str, str], dict[str, Any]]:
    """What an operator sends who does everything right, by method and route."""
    waits = {"until": str(timezone.now().date() + timedelta(days=30)), "reason": "Asked for a month by phone"}
    line = {"description": "Migration of a shop", "quantity": 2, "amount": "44.50"}
    return {
        ("POST", f"{PREFIX}{ACCOUNT}suspend/"): {"reason": "Sends spam"},
        ("POST", f"{PREFIX}{ACCOUNT}activate/"): {"reason": "Cleared up"},
        ("POST", f"{PREFIX}{ACCOUNT}adjust-credits/"): {"amount": -100, "reason": "Granted twice by hand"},
        ("POST", f"{PREFIX}{ACCOUNT}exempt/"): waits,
        ("POST", f"{PREFIX}{ACCOUNT}extend-trial/"): waits,
        ("POST", f"{PREFIX}{INVOICE}extend-deadline/"): waits,
        ("POST", f"{PREFIX}{SUBSCRIPTION}end/"): {"reason": "Asked for it by phone"},
        ("POST", f"{PREFIX}{SUBSCRIPTION}change/"): {"plan_slug": "growth", "reason": "Asked for it by phone"},
        ("POST", f"{PREFIX}invoices/create/"): {
            "account": world.b.account.pk,
            "line_items": [line],
            "notes": "By phone",
        },
        ("POST", f"{PREFIX}{INVOICE}void/"): {"reason": "Made for the wrong account"},
        ("POST", f"{PREFIX}{PAYMENT}approve/"): {"admin_notes": "Seen"},
        ("POST", f"{PREFIX}{PAYMENT}reject/"): {"admin_notes": "Not seen"},
        ("POST", f"{PREFIX}{PAYMENT}refund/"): {"amount": "10.00", "reason": "Goodwill", "reference": "TR-1"},
        ("POST", f"{PREFIX}payment-methods/"): {
            "country_code": "PK",
            "payment_method": "local_wallet",
            "display_name": "JazzCash",
            "instructions": "Name the invoice.",
            "wallet_type": "JazzCash",
            "wallet_id": "03001234567",
        },
        ("PATCH", f"{PREFIX}{CONFIG}"): {"display_name": "Bank", "instructions": "Name the invoice."},
        ("POST", f"{PREFIX}credit-costs/"): {
            "operation_type": "translation",
            "display_name": "Translation",
            "credits_per_unit": 3,
            "unit": "100 words",
        },
        ("PATCH", f"{PREFIX}{COST}"): {"credits_per_unit": 7, "display_name": "Article"},
    }


def matrix() -> str:
    """The operators' lines of the table in test_matrix.py: only who has the permissions gets through."""
    lines = [_line(operation.path, operation.method, operation.status) for operation in OPERATIONS]
    for path in dict.fromkeys(operation.path for operation in OPERATIONS):
        own = {operation.method for operation in OPERATIONS if operation.path == path}
        others = ",".join(method for method in ("GET", "POST", "PUT", "PATCH", "DELETE") if method not in own)
        lines.append(_line(path, others, 405))
    return "".join(lines)


def _line(path: str, methods: str, operator: int) -> str:
    return f"admin/{path} {methods} 401 403 403 403 403 403 403 {operator} 403\n"
