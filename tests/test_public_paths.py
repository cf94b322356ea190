"""What operators type in a shell and other code imports: these paths and parameters keep working."""

import contextlib
import importlib
import inspect
import io
from decimal import Decimal
from typing import Any

import pytest
from igny8_core.business.billing.services.payment_service import PaymentService

from igny8_core.auth.models import Account
from igny8_core.business.billing.models import CreditPackage, Invoice, PaymentMethodConfig
from igny8_core.business.signup.service import register
from tests import make

SERVICES = "igny8_core.business.billing.services"

# Class → method → parameters that callers may rely on, in this order. More may follow them, with defaults.
METHODS: dict[str, dict[str, list[str]]] = {
    f"{SERVICES}.invoice_service.InvoiceService": {
        "create_invoice": ["account", "line_items", "subscription"],
        "create_subscription_invoice": ["subscription"],
        "generate_invoice_number": ["account"],
        "mark_paid": ["invoice", "payment"],
        "mark_void": ["invoice", "reason"],
        "generate_pdf": ["invoice"],
        "send_invoice_email": ["invoice"],
    },
    f"{SERVICES}.payment_service.PaymentService": {
        "create_manual_payment": ["invoice", "payment_method", "reference"],
        "approve_manual_payment": ["payment", "approved_by"],
        "reject_manual_payment": ["payment", "reason"],
        "process_refund": ["payment", "amount"],
        "get_available_payment_methods": ["country_code"],
    },
    f"{SERVICES}.subscription_service.SubscriptionService": {
        "create_subscription": ["account", "plan", "payment_method"],
        "cancel_subscription": ["subscription", "cancel_at_period_end"],
        "upgrade_subscription": ["subscription", "new_plan"],
        "downgrade_subscription": ["subscription", "new_plan"],
        "reactivate_subscription": ["subscription"],
        "sync_from_stripe": ["stripe_subscription_id"],
    },
    f"{SERVICES}.credit_service.CreditService": {
        "grant": ["account", "amount"],
        "spend": ["account", "amount"],
        "adjust": ["account", "amount"],
        "expire": ["account"],
    },
}
# Parameters that may be left out.
OPTIONAL = {
    ("cancel_subscription", "cancel_at_period_end"): True,
    ("create_invoice", "subscription"): None,
    ("get_available_payment_methods", "country_code"): "",
    ("process_refund", "amount"): None,
}
MODELS = {
    "igny8_core.auth.models": [
        "Account",
        "Industry",
        "LoginSession",
        "Plan",
        "Site",
        "SiteUserAccess",
        "Subscription",
        "TeamInvitation",
        "User",
    ],
    "igny8_core.business.billing.models": [
        "AccountPaymentMethod",
        "CreditCostConfig",
        "CreditGrant",
        "CreditNote",
        "CreditPackage",
        "CreditTransaction",
        "CreditUsageLog",
        "Invoice",
        "Payment",
        "PaymentMethodConfig",
        "Refund",
        "WebhookEvent",
    ],
}
PROMISED = [(path, method) for path, methods in METHODS.items() for method in methods]


def imported(path: str) -> type:
    module, _, name = path.rpartition(".")
    found: type = getattr(importlib.import_module(module), name)
    return found


@pytest.mark.parametrize(("path", "method"), PROMISED, ids=[f"{path.rpartition('.')[2]}.{m}" for path, m in PROMISED])
def test_a_promised_method_takes_the_promised_parameters(path: str, method: str) -> None:
    promised = METHODS[path][method]

    parameters = inspect.signature(getattr(imported(path), method)).parameters
    first, more = list(parameters.values())[: len(promised)], list(parameters.values())[len(promised) :]

    assert [parameter.name for parameter in first] == promised
    for parameter in first:
        assert parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        if (method, parameter.name) in OPTIONAL:
            assert parameter.default == OPTIONAL[method, parameter.name]
    if "CreditService" not in path:
        assert [parameter.name for parameter in more if parameter.default is inspect.Parameter.empty] == []


@pytest.mark.parametrize("path", METHODS)
def test_services_are_called_without_an_instance(path: str) -> None:
    service = imported(path)

    public = {name: value for name, value in vars(service).items() if not name.startswith("_")}
    assert set(METHODS[path]) <= set(public)
    assert all(isinstance(value, staticmethod) for value in public.values())


@pytest.mark.parametrize(("module", "name"), [(module, name) for module, names in MODELS.items() for name in names])
def test_a_promised_model_is_importable_and_its_objects_are_unscoped(module: str, name: str) -> None:
    model = imported(f"{module}.{name}")

    assert str(model.objects.all().query).count("WHERE") == 0  # type: ignore[attr-defined]


def test_properties_stand_in_for_the_columns_that_were_removed() -> None:
    billing, auth = (importlib.import_module(module) for module in reversed(MODELS))

    for model, name in (
        (auth.Account, "default_payment_method"),
        (auth.Subscription, "payment_method"),
        (billing.Invoice, "billing_period_start"),
        (billing.Invoice, "billing_period_end"),
        (billing.Invoice, "billing_email"),
    ):
        assert isinstance(vars(model)[name], property)
        assert name not in {field.name for field in model._meta.get_fields()}
    assert "transaction_reference" not in {field.name for field in billing.Payment._meta.get_fields()}


# --- Blocks that are printed for people to type in a shell, character for character -----------------------------------

SAMPLE_DATA = """
from igny8_core.business.billing.models import CreditPackage, PaymentMethodConfig
# Create credit packages
CreditPackage.objects.create(
    name="Starter Pack",
    slug="starter",
    credits=500,
    price=9.00,
    sort_order=1,
    is_active=True
)
CreditPackage.objects.create(
    name="Pro Pack",
    slug="pro",
    credits=2000,
    price=29.00,
    discount_percentage=10,
    sort_order=2,
    is_active=True,
    is_featured=True
)
# Enable payment methods for US
PaymentMethodConfig.objects.create(
    country_code="US",
    payment_method="stripe",
    is_enabled=True,
    display_name="Credit/Debit Card",
    sort_order=1
)
PaymentMethodConfig.objects.create(
    country_code="US",
    payment_method="paypal",
    is_enabled=True,
    display_name="PayPal",
    sort_order=2
)
"""
FIRST_INVOICE = """
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.auth.models import Account
account = Account.objects.first()
line_items = [
    {
        'description': 'Professional Plan - Monthly',
        'amount': 99.00,
        'quantity': 1
    },
    {
        'description': 'Additional 1000 credits',
        'amount': 19.00,
        'quantity': 1
    }
]
invoice = InvoiceService.create_invoice(account, line_items)
print(f"Created invoice: {invoice.invoice_number}")
"""
COUNTS = """
from igny8_core.auth.models import Subscription, Site
from igny8_core.business.billing.models import PaymentMethodConfig
# Verify subscriptions have plan
print(Subscription.objects.filter(plan__isnull=True).count()) # Should be 0
# Verify sites have industry
print(Site.objects.filter(industry__isnull=True).count()) # Should be 0
# Count payment configs
print(PaymentMethodConfig.objects.count()) # Should be 14
"""
ONE_ACCOUNT = """
from igny8_core.auth.models import Account
account = Account.objects.get(id=2) # Replace with actual ID
print(f'Account: {account.name}')
print(f'Status: {account.status}')
print(f'Credits: {account.credits}')
print(f'Plan: {account.plan.name}')
print(f'Billing Email: {account.billing_email}')
"""
ITS_INVOICE = """
from igny8_core.auth.models import Subscription
from igny8_core.business.billing.models import Invoice, Payment
# Check subscription
sub = Subscription.objects.filter(account_id=2).first()
if sub:
    print(f'Subscription Status: {sub.status}')
    print(f'Plan: {sub.plan.name if sub.plan else "None"}')
# Check invoice
invoice = Invoice.objects.filter(account_id=2).first()
if invoice:
    print(f'\\nInvoice: {invoice.invoice_number}')
    print(f'Status: {invoice.status}')
    print(f'Total: ${invoice.total}')
    print(f'Has billing snapshot: {"billing_snapshot" in invoice.metadata}')
    # Check payment
    payment = Payment.objects.filter(invoice=invoice).first()
    if payment:
        print(f'\\nPayment Status: {payment.status}')
        print(f'Reference: {payment.manual_reference}')
        print(f'Approved by: {payment.approved_by}')
"""
ITS_CREDITS = """
from igny8_core.business.billing.models import CreditTransaction
transactions = CreditTransaction.objects.filter(account_id=2).order_by('-created_at')
print(f'Credit Transactions: {transactions.count()}\\n')
for t in transactions:
    print(f'{t.created_at.strftime("%Y-%m-%d %H:%M")} | {t.transaction_type:15} | {t.amount:6} credits | Balance: {t.balance_after}')
    print(f' {t.description}')
"""  # noqa: E501 - as it is printed


def typed(block: str, tenant: Account | None = None) -> tuple[str, dict[str, Any]]:
    """Run a printed block in a session of its own; what it printed, and the names it left."""
    names: dict[str, Any] = {}
    code = block.replace("id=2", f"id={tenant.pk}") if tenant else block
    with contextlib.redirect_stdout(io.StringIO()) as output:
        exec(code, names)
    return output.getvalue(), names


@pytest.mark.django_db
def test_the_printed_sample_data_runs_on_an_empty_database() -> None:
    typed(SAMPLE_DATA)

    packages = CreditPackage.objects.order_by("sort_order").values_list("slug", "price", "discount_percentage")
    assert list(packages) == [("starter", Decimal("9.00"), 0), ("pro", Decimal("29.00"), 10)]
    assert PaymentMethodConfig.objects.filter(country_code="US", is_enabled=True).count() == 2


@pytest.mark.django_db
def test_the_printed_first_invoice_is_made_in_the_currency_of_the_account() -> None:
    tenant = make.owner({"plan": make.plan("lahore", currency="PKR")}).account

    printed, names = typed(FIRST_INVOICE)

    invoice = Invoice.objects.get(account=tenant)
    assert printed == f"Created invoice: {invoice.invoice_number}\n"
    assert (names["invoice"].total, invoice.total, invoice.currency) == (Decimal("118.00"), Decimal("118.00"), "PKR")
    assert [line["amount"] for line in invoice.line_items] == ["99.00", "19.00"]


@pytest.mark.django_db
def test_the_printed_inquiries_show_the_paid_customer(defaults: None) -> None:
    billing = {"billing_country": "PK", "billing_email": "billing@test.com"}
    names = {"first_name": "Paid", "last_name": "User", "password": make.PASSWORD}
    signup = register(
        email="paiduser@test.com", plan_slug="starter", payment_method="bank_transfer", billing=billing, **names
    )
    assert signup.invoice
    payment = PaymentService.create_manual_payment(signup.invoice, "bank_transfer", "BT-20251208-12345")
    PaymentService.approve_manual_payment(payment, make.operator())

    counts, account, invoice, credits = (
        typed(block, signup.account)[0] for block in (COUNTS, ONE_ACCOUNT, ITS_INVOICE, ITS_CREDITS)
    )

    assert counts == "0\n0\n14\n"
    assert "Status: active\nCredits: 1000\nPlan: Starter\nBilling Email: billing@test.com" in account
    assert "Total: $89.00\nHas billing snapshot: True" in invoice
    assert "Payment Status: succeeded\nReference: BT-20251208-12345" in invoice
    assert "Credit Transactions: 1" in credits
    assert "  1000 credits | Balance: 1000" in credits


@pytest.mark.django_db
def test_the_printed_refund_gives_back_ten() -> None:
    payment = PaymentService.approve_manual_payment(make.submitted_payment(), make.operator()).payment

    PaymentService.process_refund(payment, 10.00)

    payment.refresh_from_db()
    assert (payment.refunded_amount, payment.status) == (Decimal("10.00"), "partially_refunded")


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["billing/payment-methods/", "billing/admin/payment-methods/"])
def test_the_country_star_is_the_same_as_none(defaults: None, client: Any, address: str) -> None:
    star, none = (client.get(f"/api/v1/{address}{query}").json() for query in ("?country=*", ""))

    assert star == none
    assert len(none) == 3
    assert client.get(f"/api/v1/{address}?country=*PK").status_code == 400
    assert PaymentService.get_available_payment_methods("*") == PaymentService.get_available_payment_methods()
