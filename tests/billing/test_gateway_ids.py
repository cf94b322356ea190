"""Ids of gateways stand in columns that belong to none of them, and each id is one row's."""

import pytest
from django.db import IntegrityError, transaction

from igny8_core.auth.models import Account, User
from igny8_core.business.billing.models import AccountPaymentMethod, Payment
from tests import make

pytestmark = pytest.mark.django_db


def attempt(account: Account, method: str, **ids: str) -> Payment:
    invoice = make.invoice(account)
    return Payment.objects.create(
        account=account,
        invoice=invoice,
        amount=invoice.total,
        currency=invoice.currency,
        payment_method=method,
        status="succeeded",
        **ids,
    )


@pytest.mark.parametrize("column", ["gateway_object_id", "gateway_capture_id"])
def test_an_id_of_a_gateway_belongs_to_one_payment(account_a: Account, charlie: User, column: str) -> None:
    attempt(account_a, "stripe", **{column: "id_1"})
    # Another gateway may use the same word.
    attempt(account_a, "paypal", **{column: "id_1"})

    with pytest.raises(IntegrityError, match=f"igny8_payments_{column}_unique"), transaction.atomic():
        attempt(charlie.account, "stripe", **{column: "id_1"})


def test_a_card_is_saved_once(account_a: Account, charlie: User) -> None:
    def save(account: Account, kind: str) -> AccountPaymentMethod:
        return AccountPaymentMethod.objects.create(
            account=account, type=kind, display_name="Saved", gateway_method_id="id_1"
        )

    save(account_a, "stripe")
    save(account_a, "paypal")

    with pytest.raises(IntegrityError, match="igny8_account_payment_methods_gateway_unique"), transaction.atomic():
        save(charlie.account, "stripe")
