"""The ids of gateways move to columns that belong to none of them; each id stands where it stood, and nothing is lost.

A row that carries an id of a gateway by which it was not paid fits nothing true, and stops this with a sentence.
"""

from collections.abc import Iterable
from typing import Any

from django.db import migrations, models
from django.db.models import Count, Q

STRIPE, PAYPAL = "stripe", "paypal"
PAYMENT_IDS = {
    STRIPE: ("stripe_payment_intent_id", "stripe_charge_id"),
    PAYPAL: ("paypal_order_id", "paypal_capture_id"),
}
METHOD_IDS = {STRIPE: ("stripe_payment_method_id",), PAYPAL: ("paypal_payer_id",)}
OBJECT_ID, CAPTURE_ID, METHOD_ID = "gateway_object_id", "gateway_capture_id", "gateway_method_id"


def refuse_misfits(apps: Any, schema_editor: Any) -> None:
    """Raise ValueError, with the row's id, where moving ids would lose one or give it to another gateway."""
    payments = apps.get_model("billing", "Payment").objects.order_by("pk")
    methods = apps.get_model("billing", "AccountPaymentMethod").objects.order_by("pk")
    for gateway in (STRIPE, PAYPAL):
        for payment in payments.exclude(payment_method=gateway).filter(_has_any(PAYMENT_IDS[gateway])):
            raise _misfit("Payment", payment, "igny8_payments", payment.payment_method, PAYMENT_IDS[gateway])
        for method in methods.exclude(type=gateway).filter(_has_any(METHOD_IDS[gateway])):
            raise _misfit("Saved method", method, "igny8_account_payment_methods", method.type, METHOD_IDS[gateway])
    shared = methods.exclude(paypal_payer_id="").values("paypal_payer_id").order_by("paypal_payer_id")
    for payer in shared.annotate(rows=Count("pk")).filter(rows__gt=1):
        of_payer = methods.filter(paypal_payer_id=payer["paypal_payer_id"])
        ids = " and ".join(str(pk) for pk in of_payer.values_list("pk", flat=True))
        raise ValueError(
            f"Saved methods {ids} have the same paypal_payer_id, and a saved method stands for one payer of one account. "
            "Empty igny8_account_payment_methods.paypal_payer_id of all but one, and migrate again."
        )


def _has_any(names: Iterable[str]) -> Q:
    found = Q()
    for name in names:
        found |= ~Q(**{name: ""})
    return found


def _misfit(kind: str, row: Any, table: str, method: str, names: tuple[str, ...]) -> ValueError:
    ids = " and ".join(f"{name} {getattr(row, name)!r}" for name in names if getattr(row, name))
    return ValueError(
        f"{kind} {row.pk} is of {method} and has {ids}, which is another gateway's. Compare it with the gateways' "
        f"dashboards, empty in {table} of this row what does not belong to it, and migrate again."
    )


# Stripe's columns only get another name; what is PayPal's is moved into them, row by row of PayPal.
MOVE_PAYPAL = """
UPDATE igny8_payments SET gateway_object_id = paypal_order_id, gateway_capture_id = paypal_capture_id
WHERE payment_method = 'paypal' AND (paypal_order_id, paypal_capture_id) <> ('', '');
UPDATE igny8_account_payment_methods SET gateway_method_id = paypal_payer_id
WHERE type = 'paypal' AND paypal_payer_id <> '';
"""
MOVE_BACK = """
UPDATE igny8_payments
SET paypal_order_id = gateway_object_id, paypal_capture_id = gateway_capture_id,
    gateway_object_id = '', gateway_capture_id = ''
WHERE payment_method = 'paypal';
UPDATE igny8_account_payment_methods SET paypal_payer_id = gateway_method_id, gateway_method_id = ''
WHERE type = 'paypal';
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0019_settled_amounts")]

    operations = [
        migrations.RunPython(refuse_misfits, migrations.RunPython.noop),
        *(
            migrations.RemoveConstraint("payment", f"igny8_payments_{name}_unique")
            for name in (*PAYMENT_IDS[STRIPE], *PAYMENT_IDS[PAYPAL])
        ),
        migrations.RemoveConstraint("accountpaymentmethod", "igny8_account_payment_methods_stripe_unique"),
        migrations.RenameField("payment", "stripe_payment_intent_id", OBJECT_ID),
        migrations.RenameField("payment", "stripe_charge_id", CAPTURE_ID),
        migrations.RenameField("accountpaymentmethod", "stripe_payment_method_id", METHOD_ID),
        migrations.RunSQL(MOVE_PAYPAL, MOVE_BACK),
        *(migrations.RemoveField("payment", name) for name in PAYMENT_IDS[PAYPAL]),
        migrations.RemoveField("accountpaymentmethod", "paypal_payer_id"),
        migrations.AlterField(
            "payment",
            OBJECT_ID,
            models.CharField(
                blank=True,
                help_text="What the attempt is called at its gateway: a PaymentIntent, an order",
                max_length=100,
            ),
        ),
        migrations.AlterField(
            "payment",
            CAPTURE_ID,
            models.CharField(
                blank=True, help_text="What its money is called there, from which it can be given back", max_length=100
            ),
        ),
        migrations.AlterField(
            "accountpaymentmethod",
            METHOD_ID,
            models.CharField(
                blank=True, help_text="What the card, or the payer, is called at the gateway", max_length=100
            ),
        ),
        *(
            migrations.AddConstraint(
                "payment",
                models.UniqueConstraint(
                    fields=["payment_method", name], condition=~Q(**{name: ""}), name=f"igny8_payments_{name}_unique"
                ),
            )
            for name in (OBJECT_ID, CAPTURE_ID)
        ),
        migrations.AddConstraint(
            "accountpaymentmethod",
            models.UniqueConstraint(
                fields=["type", METHOD_ID],
                condition=~Q(**{METHOD_ID: ""}),
                name="igny8_account_payment_methods_gateway_unique",
            ),
        ),
    ]
