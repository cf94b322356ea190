"""What operators type in a shell and other code imports: these paths and parameters keep working."""

import importlib
import inspect

import pytest

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
