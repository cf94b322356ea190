"""In the console, too, money goes back and payees change after a confirmation alone, and by who may refund (AUT-32)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from igny8_core.auth.models import User
from igny8_core.business.billing.models import Payment, PaymentMethodConfig
from igny8_core.business.billing.services.payment_service import PaymentService
from tests import make
from tests.admin.samples import operator_with
from tests.admin.test_payment_queue import read

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(olga: User, settings: Any) -> Client:
    """Olga's, logged in ten minutes ago."""
    settings.CONFIRMATION_AGE = timedelta(minutes=5)
    settings.CONFIRM_APPROVALS_ABOVE = {"USD": Decimal("88.99")}
    client = Client()
    with time_machine.travel(timezone.now() - timedelta(minutes=10), tick=False):
        client.force_login(olga)
    return client


def sent(browser: Client, name: str, row: Any, **inputs: Any) -> int:
    address = reverse(f"admin:{name}", args=[row.pk])
    first = browser.post(address, {"_form_submitted": "True", **inputs})
    return first.status_code


def test_a_refund(browser: Client) -> None:
    payment = make.submitted_payment(make.invoice())
    PaymentService.approve_manual_payment(payment, make.operator())

    assert sent(browser, "billing_payment_refund", payment, amount="9.00", reason="Ordered twice") == 403
    payment.refresh_from_db()
    assert payment.refunded_amount == 0
    confirmed = {"confirm_password": make.PASSWORD}
    assert sent(browser, "billing_payment_refund", payment, amount="9.00", reason="Ordered twice", **confirmed) == 302
    payment.refresh_from_db()
    assert payment.refunded_amount == Decimal("9.00")


def approved(browser: Client, payment: Payment) -> int:
    """Approve it on the page where payments are checked."""
    return sent(browser, "billing_payment_check", payment, decision="approve", read=read(browser, payment))


def test_a_large_approval_alone_or_among_others(browser: Client, settings: Any) -> None:
    large = make.submitted_payment(make.invoice())
    several = {"decision": "approve", "payments": str(large.pk)}

    assert approved(browser, large) == 403
    assert browser.post(reverse("admin:billing_payment_decide"), several).status_code == 403
    assert Payment.objects.get(pk=large.pk).status == "pending_approval"
    settings.CONFIRM_APPROVALS_ABOVE = {"USD": Decimal(1000)}
    assert approved(browser, large) == 303
    assert Payment.objects.get(pk=large.pk).status == "succeeded"


def test_a_currency_that_is_not_named_has_no_small_amount(browser: Client, settings: Any) -> None:
    payment = make.submitted_payment(make.invoice())
    settings.CONFIRM_APPROVALS_ABOVE = {"EUR": Decimal(1000)}

    assert approved(browser, payment) == 403
    settings.CONFIRM_APPROVALS_ABOVE = {}
    assert approved(browser, payment) == 303


def test_payee_details(browser: Client) -> None:
    method = make.payment_method()
    address = reverse("admin:billing_paymentmethodconfig_change", args=[method.pk])
    shown = browser.get(address).context["adminform"].form
    form = {name: shown[name].value() or "" for name in shown.fields} | {"is_enabled": "on", "sort_order": "0"}

    renamed = browser.post(address, {**form, "display_name": "By bank"})
    moved = browser.post(address, {**form, "bank_name": "Thief Bank"})
    deleted = browser.post(reverse("admin:billing_paymentmethodconfig_delete", args=[method.pk]), {"post": "yes"})

    assert (renamed.status_code, moved.status_code, deleted.status_code) == (302, 403, 403)
    method = PaymentMethodConfig.objects.get(pk=method.pk)
    assert (method.display_name, method.bank_name) == ("By bank", "")


@pytest.mark.parametrize(
    ("permission", "status"), [("check_payment", 403), ("approve_payment", 403), ("refund_payment", 302)]
)
def test_giving_money_back_needs_the_permission_to_refund(client: Client, permission: str, status: int) -> None:
    payment = make.submitted_payment(make.invoice())
    client.force_login(operator_with("billing.view_payment", f"billing.{permission}"))

    assert sent(client, "billing_payment_giveback", payment) == status


@pytest.mark.parametrize(("also", "status"), [([], 403), (["igny8_auth.change_subscription_plan"], 302)])
def test_ordering_again_needs_the_permission_to_change_plans(client: Client, also: list[str], status: int) -> None:
    payment = make.submitted_payment(make.invoice())
    client.force_login(operator_with("billing.view_payment", "billing.approve_payment", *also))

    assert sent(client, "billing_payment_order_again", payment) == status
