"""Help texts and the name of webhook messages in plain English; PostgreSQL has nothing to do."""

import uuid
from decimal import Decimal

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import igny8_core.common.model_fields


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0022_what_payers_say"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="webhookevent",
            options={
                "ordering": ("-id",),
                "permissions": [("process_webhook", "Can have messages of gateways processed again")],
                "verbose_name": "webhook message",
            },
        ),
        migrations.AlterField(
            model_name="accountpaymentmethod",
            name="gateway_method_id",
            field=models.CharField(
                blank=True, help_text="The id of the card or the payer at the gateway", max_length=100
            ),
        ),
        migrations.AlterField(
            model_name="allocation",
            name="currency",
            field=models.CharField(help_text="ISO 4217; the same as the invoice's and the payment's", max_length=3),
        ),
        migrations.AlterField(
            model_name="allocation",
            name="made_by",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="The operator who decided; empty if a gateway did",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="allocation",
            name="released_at",
            field=models.DateTimeField(blank=True, help_text="It does not count from this time on", null=True),
        ),
        migrations.AlterField(
            model_name="creditnote",
            name="credits_not_recovered",
            field=models.PositiveBigIntegerField(
                default=0, help_text="Credits that were already spent: stated, not collected"
            ),
        ),
        migrations.AlterField(
            model_name="creditnote",
            name="reference",
            field=models.CharField(
                blank=True, help_text="Reference of the transfer that sent the money back", max_length=100
            ),
        ),
        migrations.AlterField(
            model_name="credittransaction",
            name="amount",
            field=models.BigIntegerField(help_text="Credits; a negative number takes credits away"),
        ),
        migrations.AlterField(
            model_name="dispute",
            name="amount",
            field=igny8_core.common.model_fields.AmountField(
                blank=True,
                decimal_places=4,
                help_text="Empty if only the id is known, until the gateway is asked again",
                max_digits=14,
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="dispute",
            name="closed_at",
            field=models.DateTimeField(blank=True, help_text="When its end was recorded here", null=True),
        ),
        migrations.AlterField(
            model_name="dispute",
            name="opened_at",
            field=models.DateTimeField(
                blank=True, help_text="When the payer opened it, as the gateway reports", null=True
            ),
        ),
        migrations.AlterField(
            model_name="dispute",
            name="reason",
            field=models.CharField(blank=True, help_text="The gateway's word for the payer's reason", max_length=500),
        ),
        migrations.AlterField(
            model_name="dispute",
            name="refund",
            field=models.OneToOneField(
                blank=True,
                help_text="The refund that books a lost dispute, if the gateway reports none itself",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="dispute",
                to="billing.refund",
            ),
        ),
        migrations.AlterField(
            model_name="invoice",
            name="settled_amount",
            field=igny8_core.common.model_fields.AmountField(
                db_default=Decimal("0"),
                decimal_places=4,
                default=Decimal("0"),
                help_text="The sum of its live allocations",
                max_digits=14,
            ),
        ),
        migrations.AlterField(
            model_name="invoice",
            name="stripe_invoice_id",
            field=models.CharField(
                blank=True, help_text="Id of the invoice at Stripe that this one mirrors", max_length=100
            ),
        ),
        migrations.AlterField(
            model_name="invoiceline",
            name="credits",
            field=models.PositiveIntegerField(
                blank=True, help_text="Credits per unit, granted when the invoice is paid", null=True
            ),
        ),
        migrations.AlterField(
            model_name="invoiceline",
            name="period_credits",
            field=models.PositiveIntegerField(
                blank=True, help_text="For a change of plan: the credits of a whole period", null=True
            ),
        ),
        migrations.AlterField(
            model_name="invoiceline",
            name="period_price",
            field=igny8_core.common.model_fields.AmountField(
                blank=True,
                decimal_places=4,
                help_text="For a change of plan: the price of a whole period",
                max_digits=14,
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="invoiceline",
            name="restarts_period",
            field=models.BooleanField(blank=True, help_text="For a change of plan: it starts a new period", null=True),
        ),
        migrations.AlterField(
            model_name="invoiceline",
            name="unit_amount",
            field=igny8_core.common.model_fields.AmountField(
                decimal_places=4, help_text="Price of one unit, in the invoice's currency", max_digits=14
            ),
        ),
        migrations.AlterField(
            model_name="invoiceoffer",
            name="config_id",
            field=models.BigIntegerField(
                help_text="Id of the configured method that it was copied from, which may be deleted"
            ),
        ),
        migrations.AlterField(
            model_name="invoiceoffer",
            name="country_code",
            field=models.CharField(
                help_text="The country of the configured method that it was copied from", max_length=2
            ),
        ),
        migrations.AlterField(
            model_name="invoiceoffer",
            name="is_reconstructed",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="The invoice is older than this record, so the record shows what its documents said later",
            ),
        ),
        migrations.AlterField(
            model_name="invoiceoffer",
            name="payee_version",
            field=models.ForeignKey(
                help_text="Empty for card and PayPal",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="offers",
                to="billing.payeeversion",
            ),
        ),
        migrations.AlterField(
            model_name="invoiceoffer",
            name="position",
            field=models.PositiveSmallIntegerField(help_text="From 1, in the order that customers see"),
        ),
        migrations.AlterField(
            model_name="madedefault",
            name="key",
            field=models.CharField(
                help_text="The row's key when it was created, for example starter or PK local_wallet", max_length=100
            ),
        ),
        migrations.AlterField(
            model_name="madedefault",
            name="kind",
            field=models.CharField(help_text="The model, for example igny8_auth.plan", max_length=50),
        ),
        migrations.AlterField(
            model_name="payeeversion",
            name="account_title",
            field=models.CharField(blank=True, help_text="Name of the account holder", max_length=100),
        ),
        migrations.AlterField(
            model_name="payeeversion",
            name="created_by",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty if the details came with the installation, or were not changed in the console or by API",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="payeeversion",
            name="instructions",
            field=models.TextField(blank=True, help_text="Shown with the details. Do not repeat the details here"),
        ),
        migrations.AlterField(
            model_name="payeeversion",
            name="is_sample",
            field=models.BooleanField(
                db_default=False,
                default=False,
                editable=False,
                help_text="A sample of a new installation, with invented numbers",
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="approved_by",
            field=models.ForeignKey(
                blank=True,
                help_text="The operator who approved or rejected it",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="gateway_capture_id",
            field=models.CharField(
                blank=True, help_text="The id of the captured money at the gateway, for refunds", max_length=100
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="gateway_object_id",
            field=models.CharField(
                blank=True, help_text="The attempt's id at its gateway: a PaymentIntent or an order", max_length=100
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="needs_review",
            field=models.BooleanField(
                default=False, help_text="An operator has to look; nothing is settled automatically"
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="reference_key",
            field=models.CharField(
                blank=True,
                help_text="The reference without case, spaces and dashes, to find duplicates",
                max_length=100,
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="uuid",
            field=models.UUIDField(
                default=uuid.uuid4, editable=False, help_text="The id under which gateways know it", unique=True
            ),
        ),
        migrations.AlterField(
            model_name="paymentmethodconfig",
            name="account_title",
            field=models.CharField(blank=True, help_text="Name of the account holder", max_length=100),
        ),
        migrations.AlterField(
            model_name="paymentmethodconfig",
            name="instructions",
            field=models.TextField(blank=True, help_text="Shown with the details. Do not repeat the details here"),
        ),
        migrations.AlterField(
            model_name="paymentmethodconfig",
            name="is_sample",
            field=models.BooleanField(
                db_default=False,
                default=False,
                editable=False,
                help_text="A sample of a new installation, with invented numbers",
            ),
        ),
        migrations.AlterField(
            model_name="paymentmethodconfig",
            name="payee_version",
            field=models.ForeignKey(
                editable=False,
                help_text="The stored version of the details; empty until it is first needed",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="billing.payeeversion",
            ),
        ),
        migrations.AlterField(
            model_name="paymentproof",
            name="sha256",
            field=models.CharField(help_text="Checksum of the stored file", max_length=64),
        ),
        migrations.AlterField(
            model_name="paymentproof",
            name="size",
            field=models.PositiveIntegerField(help_text="Size of the stored file in bytes"),
        ),
        migrations.AlterField(
            model_name="refund",
            name="is_return",
            field=models.BooleanField(
                default=False,
                help_text="Returns money that bought nothing (the invoice was closed); it has no credit note",
            ),
        ),
        migrations.AlterField(
            model_name="refund",
            name="uuid",
            field=models.UUIDField(
                default=uuid.uuid4, editable=False, help_text="The id under which gateways know it", unique=True
            ),
        ),
        migrations.AlterField(
            model_name="webhookevent",
            name="body",
            field=models.TextField(help_text="As it came; its ids are used, its content is not believed"),
        ),
        migrations.AlterField(
            model_name="webhookevent",
            name="transmission_id",
            field=models.CharField(
                blank=True,
                help_text="PayPal's id of the delivery; a second body with the same headers is a forgery",
                max_length=100,
            ),
        ),
    ]
