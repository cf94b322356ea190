"""What payers say of their transfer, proofs of people without a login, and links that can be withdrawn."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0021_invoice_lines"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="invoice",
            name="pay_link_version",
            field=models.PositiveSmallIntegerField(
                db_default=0,
                default=0,
                help_text="How often its links were withdrawn: those of an earlier version open nothing",
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="payer_name",
            field=models.CharField(
                blank=True,
                db_default="",
                help_text="Whose account or wallet it came from, as the customer says",
                max_length=150,
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="transferred_on",
            field=models.DateField(blank=True, help_text="The day of the transfer, as the customer says", null=True),
        ),
        migrations.AlterField(
            model_name="paymentproof",
            name="uploaded_by",
            field=models.ForeignKey(
                blank=True,
                help_text="Nobody we know by name where it came through the link of an invoice",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
