"""Names and help texts as people read them; PostgreSQL has nothing to do."""

import uuid
from decimal import Decimal

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import igny8_core.common.clock
import igny8_core.common.model_fields
from igny8_core.common.state_only import StateOnly


class Migration(StateOnly):
    dependencies = [
        ("billing", "0022_what_payers_say"),
        ("igny8_auth", "0010_terms_accepted"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="accountpaymentmethod",
            options={"ordering": ("-is_default", "id"), "verbose_name": "saved payment method"},
        ),
        migrations.AlterModelOptions(
            name="creditcostconfig",
            options={"ordering": ("operation_type",), "verbose_name": "credit cost"},
        ),
        migrations.AlterModelOptions(
            name="creditusagelog",
            options={"ordering": ("-id",), "verbose_name": "credit usage", "verbose_name_plural": "credit usage"},
        ),
        migrations.AlterModelOptions(
            name="creditusagesum",
            options={"verbose_name": "sum of credit usage", "verbose_name_plural": "sums of credit usage"},
        ),
        migrations.AlterModelOptions(
            name="invoice",
            options={
                "ordering": ("-id",),
                "permissions": [
                    ("void_invoice", "Can void invoices"),
                    ("charge_invoice", "Can charge customers' saved cards for open invoices"),
                ],
            },
        ),
        migrations.AlterModelOptions(
            name="invoiceoffer",
            options={
                "ordering": ("invoice", "position"),
                "verbose_name": "method offered on an invoice",
                "verbose_name_plural": "methods offered on invoices",
            },
        ),
        migrations.AlterModelOptions(
            name="madedefault",
            options={"verbose_name": "default row"},
        ),
        migrations.AlterModelOptions(
            name="payeeversion",
            options={
                "ordering": ("-id",),
                "verbose_name": "bank and wallet details",
                "verbose_name_plural": "bank and wallet details",
            },
        ),
        migrations.AlterModelOptions(
            name="payment",
            options={
                "ordering": ("-id",),
                "permissions": [
                    ("approve_payment", "Can approve and reject manual payments"),
                    ("refund_payment", "Can refund payments"),
                    ("check_payment", "Can ask gateways about payments and return money that needs review"),
                ],
            },
        ),
        migrations.AlterModelOptions(
            name="paymentmethodconfig",
            options={"ordering": ("sort_order", "id"), "verbose_name": "payment method"},
        ),
        migrations.AlterModelOptions(
            name="paymentproof",
            options={
                "ordering": ("-id",),
                "verbose_name": "proof of payment",
                "verbose_name_plural": "proofs of payment",
            },
        ),
        migrations.AlterModelOptions(
            name="usagesummark",
            options={"verbose_name": "end of the summed usage", "verbose_name_plural": "end of the summed usage"},
        ),
        migrations.AlterModelOptions(
            name="webhookevent",
            options={
                "ordering": ("-id",),
                "permissions": [("process_webhook", "Can process webhook messages again")],
                "verbose_name": "webhook message",
            },
        ),
        migrations.AlterField(
            model_name="accountpaymentmethod",
            name="card_exp_month",
            field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="expiry month"),
        ),
        migrations.AlterField(
            model_name="accountpaymentmethod",
            name="card_exp_year",
            field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="expiry year"),
        ),
        migrations.AlterField(
            model_name="accountpaymentmethod",
            name="card_last4",
            field=models.CharField(blank=True, max_length=4, verbose_name="last four digits"),
        ),
        migrations.AlterField(
            model_name="accountpaymentmethod",
            name="gateway_method_id",
            field=models.CharField(
                blank=True,
                help_text="The gateway's id of the card or payer",
                max_length=100,
                verbose_name="ID at the gateway",
            ),
        ),
        migrations.AlterField(
            model_name="accountpaymentmethod",
            name="is_default",
            field=models.BooleanField(default=False, verbose_name="default"),
        ),
        migrations.AlterField(
            model_name="accountpaymentmethod",
            name="is_enabled",
            field=models.BooleanField(default=True, verbose_name="usable"),
        ),
        migrations.AlterField(
            model_name="accountpaymentmethod",
            name="is_verified",
            field=models.BooleanField(default=False, verbose_name="verified"),
        ),
        migrations.AlterField(
            model_name="allocation",
            name="created_at",
            field=models.DateTimeField(default=igny8_core.common.clock.now, editable=False, verbose_name="allocated"),
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
                verbose_name="allocated by",
            ),
        ),
        migrations.AlterField(
            model_name="allocation",
            name="released_at",
            field=models.DateTimeField(
                blank=True, help_text="When it stopped counting towards the invoice", null=True, verbose_name="released"
            ),
        ),
        migrations.AlterField(
            model_name="creditcostconfig",
            name="display_name",
            field=models.CharField(max_length=100, verbose_name="operation"),
        ),
        migrations.AlterField(
            model_name="creditcostconfig",
            name="is_active",
            field=models.BooleanField(default=True, verbose_name="active"),
        ),
        migrations.AlterField(
            model_name="creditcostconfig",
            name="operation_type",
            field=models.SlugField(unique=True, verbose_name="operation code"),
        ),
        migrations.AlterField(
            model_name="creditgrant",
            name="amount",
            field=models.PositiveBigIntegerField(verbose_name="credits"),
        ),
        migrations.AlterField(
            model_name="creditgrant",
            name="source",
            field=models.CharField(
                help_text="What they are for, such as payment:12; unique per account", max_length=100
            ),
        ),
        migrations.AlterField(
            model_name="creditnote",
            name="credits_not_recovered",
            field=models.PositiveBigIntegerField(
                default=0, help_text="Credits that were spent already", verbose_name="credits not recovered"
            ),
        ),
        migrations.AlterField(
            model_name="creditnote",
            name="credits_taken_back",
            field=models.PositiveBigIntegerField(default=0, verbose_name="credits taken back"),
        ),
        migrations.AlterField(
            model_name="creditnote",
            name="gateway_refund_id",
            field=models.CharField(blank=True, max_length=100, verbose_name="refund ID at the gateway"),
        ),
        migrations.AlterField(
            model_name="creditnote",
            name="reference",
            field=models.CharField(
                blank=True,
                help_text="Of the transfer that returned the money",
                max_length=100,
                verbose_name="reference of the transfer",
            ),
        ),
        migrations.AlterField(
            model_name="creditpackage",
            name="discount_percentage",
            field=models.PositiveSmallIntegerField(
                default=0,
                validators=[django.core.validators.MaxValueValidator(99)],
                verbose_name="discount in per cent",
            ),
        ),
        migrations.AlterField(
            model_name="creditpackage",
            name="is_active",
            field=models.BooleanField(default=True, verbose_name="active"),
        ),
        migrations.AlterField(
            model_name="creditpackage",
            name="is_featured",
            field=models.BooleanField(default=False, verbose_name="recommended"),
        ),
        migrations.AlterField(
            model_name="creditpackage",
            name="paypal_product_id",
            field=models.CharField(blank=True, max_length=100, verbose_name="PayPal product ID"),
        ),
        migrations.AlterField(
            model_name="creditpackage",
            name="stripe_price_id",
            field=models.CharField(blank=True, max_length=100, verbose_name="Stripe price ID"),
        ),
        migrations.AlterField(
            model_name="creditpackage",
            name="stripe_product_id",
            field=models.CharField(blank=True, max_length=100, verbose_name="Stripe product ID"),
        ),
        migrations.AlterField(
            model_name="creditpackage",
            name="valid_days",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Bought credits expire after this many days; empty: never",
                null=True,
                verbose_name="valid for days",
            ),
        ),
        migrations.AlterField(
            model_name="credittransaction",
            name="amount",
            field=models.BigIntegerField(
                help_text="Positive if they were added, negative if they were taken", verbose_name="credits"
            ),
        ),
        migrations.AlterField(
            model_name="credittransaction",
            name="balance_after",
            field=models.BigIntegerField(verbose_name="balance afterwards"),
        ),
        migrations.AlterField(
            model_name="credittransaction",
            name="source",
            field=models.CharField(
                help_text="What it is for, such as payment:12; unique per account and type", max_length=100
            ),
        ),
        migrations.AlterField(
            model_name="credittransaction",
            name="transaction_type",
            field=models.CharField(
                choices=[
                    ("trial", "Trial"),
                    ("subscription", "Subscription"),
                    ("purchase", "Purchase"),
                    ("adjustment", "Adjustment"),
                    ("usage", "Usage"),
                    ("expiry", "Expiry"),
                    ("refund", "Refund"),
                ],
                max_length=20,
                verbose_name="type",
            ),
        ),
        migrations.AlterField(
            model_name="creditusagelog",
            name="operation_type",
            field=models.CharField(max_length=50, verbose_name="operation"),
        ),
        migrations.AlterField(
            model_name="creditusagesum",
            name="operation_type",
            field=models.CharField(max_length=50, verbose_name="operation"),
        ),
        migrations.AlterField(
            model_name="creditusagesum",
            name="operations",
            field=models.PositiveIntegerField(verbose_name="number of operations"),
        ),
        migrations.AlterField(
            model_name="creditusagesum",
            name="quarter",
            field=models.DateTimeField(help_text="Start of the 15 minutes, UTC", verbose_name="quarter of an hour"),
        ),
        migrations.AlterField(
            model_name="dispute",
            name="amount",
            field=igny8_core.common.model_fields.AmountField(
                blank=True,
                decimal_places=4,
                help_text="Empty for an old dispute until the gateway is asked about it again",
                max_digits=14,
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="dispute",
            name="closed_at",
            field=models.DateTimeField(blank=True, help_text="When we learned of its end", null=True),
        ),
        migrations.AlterField(
            model_name="dispute",
            name="gateway_dispute_id",
            field=models.CharField(max_length=100, verbose_name="dispute ID at the gateway"),
        ),
        migrations.AlterField(
            model_name="dispute",
            name="opened_at",
            field=models.DateTimeField(
                blank=True, help_text="When the payer complained, as the gateway says", null=True
            ),
        ),
        migrations.AlterField(
            model_name="dispute",
            name="outcome",
            field=models.CharField(blank=True, help_text="How it ended, in the gateway's word", max_length=100),
        ),
        migrations.AlterField(
            model_name="dispute",
            name="reason",
            field=models.CharField(
                blank=True, help_text="The payer's complaint, in the gateway's word", max_length=500
            ),
        ),
        migrations.AlterField(
            model_name="dispute",
            name="refund",
            field=models.OneToOneField(
                blank=True,
                help_text="The money that a lost dispute took, if the gateway made no refund for it",
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
                help_text="Sum of the allocations that count towards it",
                max_digits=14,
                verbose_name="settled",
            ),
        ),
        migrations.AlterField(
            model_name="invoice",
            name="stripe_invoice_id",
            field=models.CharField(
                blank=True,
                help_text="Of the invoice at Stripe that this invoice copies",
                max_length=100,
                verbose_name="Stripe invoice ID",
            ),
        ),
        migrations.AlterField(
            model_name="invoiceline",
            name="credits",
            field=models.PositiveIntegerField(
                blank=True, help_text="Granted per unit when the invoice is paid", null=True
            ),
        ),
        migrations.AlterField(
            model_name="invoiceline",
            name="credits_rollover",
            field=models.BooleanField(blank=True, null=True, verbose_name="credits roll over"),
        ),
        migrations.AlterField(
            model_name="invoiceline",
            name="line_total",
            field=igny8_core.common.model_fields.AmountField(decimal_places=4, max_digits=14, verbose_name="total"),
        ),
        migrations.AlterField(
            model_name="invoiceline",
            name="max_sites",
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name="sites"),
        ),
        migrations.AlterField(
            model_name="invoiceline",
            name="max_users",
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name="users"),
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
            field=models.BooleanField(
                blank=True,
                help_text="For a change of plan: a new period starts with it",
                null=True,
                verbose_name="starts a new period",
            ),
        ),
        migrations.AlterField(
            model_name="invoiceline",
            name="tax_rate",
            field=models.DecimalField(
                db_default=0,
                decimal_places=4,
                default=0,
                help_text="Per cent",
                max_digits=7,
                verbose_name="tax rate in per cent",
            ),
        ),
        migrations.AlterField(
            model_name="invoiceline",
            name="unit_amount",
            field=igny8_core.common.model_fields.AmountField(
                decimal_places=4, help_text="In the invoice's currency", max_digits=14, verbose_name="unit price"
            ),
        ),
        migrations.AlterField(
            model_name="invoiceline",
            name="valid_days",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Bought credits expire after this many days",
                null=True,
                verbose_name="valid for days",
            ),
        ),
        migrations.AlterField(
            model_name="invoiceoffer",
            name="config_id",
            field=models.BigIntegerField(help_text="Id of the configured method, which may have been deleted"),
        ),
        migrations.AlterField(
            model_name="invoiceoffer",
            name="country_code",
            field=models.CharField(help_text="Country of the configured method", max_length=2, verbose_name="country"),
        ),
        migrations.AlterField(
            model_name="invoiceoffer",
            name="is_reconstructed",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="The invoice is older than these records; the offer was taken from its documents later",
                verbose_name="reconstructed",
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
                verbose_name="bank and wallet details",
            ),
        ),
        migrations.AlterField(
            model_name="invoiceoffer",
            name="position",
            field=models.PositiveSmallIntegerField(help_text="Place in the list that customers see, from 1"),
        ),
        migrations.AlterField(
            model_name="madedefault",
            name="key",
            field=models.CharField(
                help_text="Name of the row then, such as starter or PK local_wallet", max_length=100, verbose_name="row"
            ),
        ),
        migrations.AlterField(
            model_name="madedefault",
            name="kind",
            field=models.CharField(
                help_text="Model of the row, such as igny8_auth.plan", max_length=50, verbose_name="table"
            ),
        ),
        migrations.AlterField(
            model_name="payeeversion",
            name="account_title",
            field=models.CharField(
                blank=True, help_text="Name of the account's holder", max_length=100, verbose_name="account holder"
            ),
        ),
        migrations.AlterField(
            model_name="payeeversion",
            name="country_code",
            field=models.CharField(
                help_text="ISO 3166-1 alpha-2, or * for all countries", max_length=2, verbose_name="country"
            ),
        ),
        migrations.AlterField(
            model_name="payeeversion",
            name="created_by",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty if the details came with the installation, or were changed outside console and API",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="entered by",
            ),
        ),
        migrations.AlterField(
            model_name="payeeversion",
            name="iban",
            field=models.CharField(blank=True, max_length=34, verbose_name="IBAN"),
        ),
        migrations.AlterField(
            model_name="payeeversion",
            name="instructions",
            field=models.TextField(blank=True, help_text="Shown to the payer below the details"),
        ),
        migrations.AlterField(
            model_name="payeeversion",
            name="is_sample",
            field=models.BooleanField(
                db_default=False,
                default=False,
                editable=False,
                help_text="Sample numbers of a new installation, which belong to nobody",
                verbose_name="sample details",
            ),
        ),
        migrations.AlterField(
            model_name="payeeversion",
            name="swift_code",
            field=models.CharField(blank=True, max_length=11, verbose_name="SWIFT code (BIC)"),
        ),
        migrations.AlterField(
            model_name="payeeversion",
            name="wallet_id",
            field=models.CharField(blank=True, max_length=100, verbose_name="wallet number"),
        ),
        migrations.AlterField(
            model_name="payeeversion",
            name="wallet_type",
            field=models.CharField(blank=True, max_length=50, verbose_name="wallet"),
        ),
        migrations.AlterField(
            model_name="payment",
            name="admin_notes",
            field=models.TextField(blank=True, verbose_name="operators' notes"),
        ),
        migrations.AlterField(
            model_name="payment",
            name="approved_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="decided"),
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
                verbose_name="decided by",
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="checks",
            field=models.PositiveSmallIntegerField(default=0, verbose_name="times the gateway was asked"),
        ),
        migrations.AlterField(
            model_name="payment",
            name="gateway_capture_id",
            field=models.CharField(
                blank=True,
                help_text="Stripe's charge or PayPal's capture, which a refund refers to",
                max_length=100,
                verbose_name="capture ID at the gateway",
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="gateway_object_id",
            field=models.CharField(
                blank=True,
                help_text="Stripe's PaymentIntent or PayPal's order",
                max_length=100,
                verbose_name="payment ID at the gateway",
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="manual_notes",
            field=models.TextField(blank=True, verbose_name="customer's note"),
        ),
        migrations.AlterField(
            model_name="payment",
            name="manual_reference",
            field=models.CharField(
                blank=True, help_text="As the customer wrote it", max_length=100, verbose_name="reference"
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="needs_review",
            field=models.BooleanField(default=False, help_text="An operator has to decide what to do with it"),
        ),
        migrations.AlterField(
            model_name="payment",
            name="next_check_at",
            field=models.DateTimeField(
                blank=True, help_text="When the gateway is asked again", null=True, verbose_name="next check"
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="proof_url",
            field=models.URLField(blank=True, max_length=2000, verbose_name="link to a proof"),
        ),
        migrations.AlterField(
            model_name="payment",
            name="reference_key",
            field=models.CharField(
                blank=True, help_text="The reference without case, spaces and dashes, to find repeats", max_length=100
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="refunded_amount",
            field=igny8_core.common.model_fields.AmountField(
                decimal_places=4, default=Decimal("0"), max_digits=14, verbose_name="refunded"
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="uuid",
            field=models.UUIDField(
                default=uuid.uuid4,
                editable=False,
                help_text="Sent to the gateway",
                unique=True,
                verbose_name="our ID at the gateway",
            ),
        ),
        migrations.AlterField(
            model_name="paymentmethodconfig",
            name="account_title",
            field=models.CharField(
                blank=True, help_text="Name of the account's holder", max_length=100, verbose_name="account holder"
            ),
        ),
        migrations.AlterField(
            model_name="paymentmethodconfig",
            name="country_code",
            field=models.CharField(
                help_text="ISO 3166-1 alpha-2, or * for all countries", max_length=2, verbose_name="country"
            ),
        ),
        migrations.AlterField(
            model_name="paymentmethodconfig",
            name="iban",
            field=models.CharField(blank=True, max_length=34, verbose_name="IBAN"),
        ),
        migrations.AlterField(
            model_name="paymentmethodconfig",
            name="instructions",
            field=models.TextField(blank=True, help_text="Shown to the payer below the details"),
        ),
        migrations.AlterField(
            model_name="paymentmethodconfig",
            name="is_enabled",
            field=models.BooleanField(default=True, verbose_name="offered"),
        ),
        migrations.AlterField(
            model_name="paymentmethodconfig",
            name="is_sample",
            field=models.BooleanField(
                db_default=False,
                default=False,
                editable=False,
                help_text="Sample numbers of a new installation, which belong to nobody",
                verbose_name="sample details",
            ),
        ),
        migrations.AlterField(
            model_name="paymentmethodconfig",
            name="payee_version",
            field=models.ForeignKey(
                editable=False,
                help_text="The stored version of these details; empty until an invoice offers them",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="billing.payeeversion",
                verbose_name="bank and wallet details",
            ),
        ),
        migrations.AlterField(
            model_name="paymentmethodconfig",
            name="swift_code",
            field=models.CharField(blank=True, max_length=11, verbose_name="SWIFT code (BIC)"),
        ),
        migrations.AlterField(
            model_name="paymentmethodconfig",
            name="wallet_id",
            field=models.CharField(blank=True, max_length=100, verbose_name="wallet number"),
        ),
        migrations.AlterField(
            model_name="paymentmethodconfig",
            name="wallet_type",
            field=models.CharField(blank=True, max_length=50, verbose_name="wallet"),
        ),
        migrations.AlterField(
            model_name="paymentproof",
            name="content_type",
            field=models.CharField(
                choices=[("image/png", "PNG"), ("image/jpeg", "JPEG"), ("application/pdf", "PDF")],
                max_length=20,
                verbose_name="file type",
            ),
        ),
        migrations.AlterField(
            model_name="paymentproof",
            name="sha256",
            field=models.CharField(help_text="Of the file as stored", max_length=64, verbose_name="SHA-256"),
        ),
        migrations.AlterField(
            model_name="paymentproof",
            name="size",
            field=models.PositiveIntegerField(help_text="As stored", verbose_name="size in bytes"),
        ),
        migrations.AlterField(
            model_name="refund",
            name="checks",
            field=models.PositiveSmallIntegerField(default=0, verbose_name="times the gateway was asked"),
        ),
        migrations.AlterField(
            model_name="refund",
            name="gateway_refund_id",
            field=models.CharField(blank=True, max_length=100, verbose_name="refund ID at the gateway"),
        ),
        migrations.AlterField(
            model_name="refund",
            name="is_return",
            field=models.BooleanField(
                default=False,
                help_text="The money paid for nothing, because the invoice was closed. No credit note.",
                verbose_name="return of unused money",
            ),
        ),
        migrations.AlterField(
            model_name="refund",
            name="uuid",
            field=models.UUIDField(
                default=uuid.uuid4,
                editable=False,
                help_text="Sent to the gateway",
                unique=True,
                verbose_name="our ID at the gateway",
            ),
        ),
        migrations.AlterField(
            model_name="webhookevent",
            name="body",
            field=models.TextField(
                help_text="As it was sent. We trust the ids in it and ask the gateway for the rest.",
                verbose_name="message",
            ),
        ),
        migrations.AlterField(
            model_name="webhookevent",
            name="event_id",
            field=models.CharField(max_length=100, verbose_name="message ID"),
        ),
        migrations.AlterField(
            model_name="webhookevent",
            name="provider",
            field=models.CharField(
                choices=[("stripe", "Stripe"), ("paypal", "PayPal")], max_length=10, verbose_name="gateway"
            ),
        ),
        migrations.AlterField(
            model_name="webhookevent",
            name="transmission_id",
            field=models.CharField(
                blank=True,
                help_text="PayPal's id of the delivery; shows if its headers are used for another message",
                max_length=100,
                verbose_name="PayPal delivery ID",
            ),
        ),
        migrations.AlterConstraint(
            model_name="accountpaymentmethod",
            name="igny8_account_payment_methods_one_default",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_default", True)),
                fields=("account",),
                name="igny8_account_payment_methods_one_default",
                violation_error_message="The account already has a default payment method.",
            ),
        ),
    ]
