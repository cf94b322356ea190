"""Builders: each makes one saved object with sensible values; say only what the test is about."""

import hashlib
import uuid
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from itertools import count
from typing import Any

from django.core.files.base import ContentFile
from django.utils import timezone
from PIL import Image

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.callers import caller_of_session
from igny8_core.auth.models import (
    Account,
    AccountStatus,
    Industry,
    Plan,
    Role,
    Site,
    Subscription,
    User,
    terms_columns,
)
from igny8_core.business.billing.models import (
    AccountPaymentMethod,
    CreditCostConfig,
    CreditGrantKind,
    CreditNote,
    CreditPackage,
    CreditTransactionType,
    Invoice,
    Payment,
    PaymentMethodConfig,
    PaymentProof,
    Renewal,
)
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.payment_methods.gateway_customers import customer_of
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.subscription_service import SubscriptionService

PASSWORD = "TestPass123!"
_numbers = count(1)


def plan(slug: str = "starter", **fields: Any) -> Plan:
    """The plan with this slug; made with starter's figures and two sites where it is not there."""
    values = {
        "name": slug.title(),
        "price": Decimal("89.00"),
        "included_credits": 1000,
        "max_sites": 2,
        "max_users": 5,
        "is_trial": slug == "free",
        **fields,
    }
    return Plan.objects.get_or_create(slug=slug, defaults=values)[0]


def account(**fields: Any) -> Account:
    number = next(_numbers)
    values = {"name": f"Account {number}", "slug": f"account-{number}", "status": AccountStatus.ACTIVE, **fields}
    if "plan" not in values:
        values["plan"] = plan()
    # A billing address that is not confirmed gets no mail.
    values.setdefault("confirmed_billing_email", values.get("billing_email", ""))
    return Account.objects.create(**values)


def user(**fields: Any) -> User:
    values = {"email": f"user{next(_numbers)}@example.com", "password": PASSWORD, **fields}
    if "account" in values:
        values.setdefault("role", Role.EDITOR)
    return User.objects.create_user(**values)


def owner(account_fields: dict[str, Any] | None = None, **fields: Any) -> User:
    """The owner of a new account."""
    tenant = account(**(account_fields or {}))
    tenant.owner = user(account=tenant, role=Role.OWNER, **fields)
    tenant.save(update_fields=["owner"])
    return tenant.owner


def operator(**fields: Any) -> User:
    """A platform operator with all permissions."""
    return user(**{"is_staff": True, "is_superuser": True, **fields})


def payment_method(**fields: Any) -> PaymentMethodConfig:
    """An offer; bank transfer for all countries where nothing else is said."""
    values = {"country_code": "*", "payment_method": "bank_transfer", "display_name": "Bank Transfer", **fields}
    key = {name: values.pop(name) for name in ("country_code", "payment_method")}
    return PaymentMethodConfig.objects.get_or_create(**key, defaults=values)[0]


def credit_cost(**fields: Any) -> CreditCostConfig:
    """What an operation costs; an article 5 credits where nothing else is said."""
    operation = fields.pop("operation_type", "article")
    values = {"display_name": "Article", "credits_per_unit": 5, "unit": "article", **fields}
    return CreditCostConfig.objects.get_or_create(operation_type=operation, defaults=values)[0]


def credit_package(**fields: Any) -> CreditPackage:
    """Credits for sale: 2000 for 26.10 (29.00 less 10 %) where nothing else is said."""
    slug = fields.pop("slug", "pro")
    values = {"name": slug.title(), "credits": 2000, "price": Decimal("29.00"), "discount_percentage": 10, **fields}
    return CreditPackage.objects.get_or_create(slug=slug, defaults=values)[0]


def subscription(tenant: Account | None = None, plan_ordered: Plan | None = None) -> Subscription:
    """A subscription waiting for payment, with its invoice, ordered by bank transfer."""
    payment_method()
    if tenant is None:
        tenant = owner({"status": AccountStatus.PENDING_PAYMENT}).account
        assert tenant
        plan_ordered = plan_ordered or tenant.plan
    return SubscriptionService.create_subscription(tenant, plan_ordered or plan(), "bank_transfer")


def in_force(plan_sold: Plan | None = None, **terms: Any) -> dict[str, Any]:
    """The columns of a subscription in which the plan's terms are in force, with other `terms` where they are said."""
    return terms_columns(replace((plan_sold or plan()).terms, **terms))


def running_subscription(plan_sold: Plan | None = None, **terms: Any) -> Subscription:
    """An active subscription of a new account, as a payment leaves it, without invoice or payment."""
    of, begin = plan_sold or plan(), timezone.now()
    period = {"billing_anchor": begin, "current_period_start": begin, "current_period_end": begin + timedelta(days=30)}
    values = {"account": account(plan=of), "plan": of, "status": "active", **period, **in_force(of, **terms)}
    return Subscription.objects.create(**values)


def renewal(of: Subscription | None = None, **fields: Any) -> Renewal:
    """An open renewal of a running subscription's next period, with its invoice."""
    renewed = of or running_subscription()
    assert renewed.current_period_end
    end = renewed.current_period_end
    values = {"period_start": end, "period_end": end + timedelta(days=30), **fields}
    due = invoice(renewed.account, subscription=renewed)
    return Renewal.objects.create(account=renewed.account, subscription=renewed, invoice=due, **values)


def invoice(tenant: Account | None = None, **fields: Any) -> Invoice:
    """A pending invoice of 89.00 over nothing in particular."""
    lines = [{"description": "Consulting", "quantity": 1, "amount": "89.00"}]
    return InvoiceService.create_invoice(tenant or owner().account, **{"line_items": lines, **fields})


def submitted_payment(of: Invoice | None = None, reference: str = "", **fields: Any) -> Payment:
    """A bank transfer that waits for approval: of the invoice, or of a new subscription's."""
    if of:
        payment_method()
    due = of or subscription().invoices.get()
    return PaymentService.create_manual_payment(due, "bank_transfer", reference or f"BT-{next(_numbers)}", **fields)


def customer_at_stripe(fake: FakeStripe, tenant: Account) -> str:
    """The account's customer at Stripe; the account's country offers cards then."""
    payment_method(payment_method="stripe", display_name="Card")
    return customer_of(tenant)


def saved_card(fake: FakeStripe, tenant: Account, card: str = "pm_card_visa", **fields: Any) -> AccountPaymentMethod:
    """A card that the account has saved at Stripe."""
    saved = fake.save_card(customer_at_stripe(fake, tenant), card)
    values = {"type": "stripe", "display_name": "Visa", "is_verified": True, **fields}
    return AccountPaymentMethod.objects.create(account=tenant, gateway_method_id=saved, **values)


def refund(tenant: Account, amount: str = "10.00", reason: str = "Goodwill") -> CreditNote:
    """A part of a paid invoice of the account, given back."""
    payment = PaymentService.approve_manual_payment(submitted_payment(invoice(tenant)), operator()).payment
    return PaymentService.process_refund(payment, Decimal(amount), reason=reason)


def png(width: int = 8, height: int = 8, **options: Any) -> bytes:
    """A red picture."""
    file = BytesIO()
    Image.new("RGB", (width, height), "red").save(file, "PNG", **options)
    return file.getvalue()


def proof(tenant: Account, **fields: Any) -> PaymentProof:
    """An uploaded file, stored, of the account's owner: a picture where no `content` is given."""
    content = fields.pop("content", None) or png()
    values = {"uploaded_by": tenant.owner, "content_type": "image/png", "size": len(content), **fields}
    unsaved = PaymentProof(account=tenant, sha256=hashlib.sha256(content).hexdigest(), **values)
    unsaved.file.save("", ContentFile(content), save=False)
    unsaved.save()
    return unsaved


def credits(tenant: Account, amount: int, **fields: Any) -> None:
    """Grant credits that do not expire."""
    values: dict[str, Any] = {
        "kind": CreditGrantKind.PLAN,
        "transaction_type": CreditTransactionType.ADJUSTMENT,
        "source": f"test:{next(_numbers)}",
        "description": "Test credits",
        **fields,
    }
    CreditService.grant(tenant, amount, **values)


def industry(**fields: Any) -> Industry:
    values = {"name": "Retail", "slug": "retail", **fields}
    return Industry.objects.get_or_create(slug=values.pop("slug"), defaults=values)[0]


def site(tenant: Account, **fields: Any) -> Site:
    number = next(_numbers)
    return Site.objects.create(
        **{"account": tenant, "name": f"Site {number}", "slug": f"site-{number}", "industry": industry(), **fields}
    )


def prepared_sessions() -> None:
    """Have the statements that find a session prepared, so that the first request costs no more than the next ones."""
    for with_person in (True, False):
        caller_of_session(uuid.uuid4(), with_person=with_person)
