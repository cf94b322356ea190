"""Why a payment was rejected, as a code, and what the operator noted for other operators."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0023_words_for_people")]

    operations = [
        migrations.AddField(
            model_name="payment",
            name="reason_code",
            field=models.CharField(
                blank=True,
                choices=[
                    ("not_found", "We did not find this payment on our bank or wallet statement."),
                    ("wrong_amount", "The amount that we received is not the amount of the invoice."),
                    (
                        "wrong_reference",
                        "The reference is not one of a transfer to us. Copy it from your bank or wallet.",
                    ),
                    (
                        "proof_unreadable",
                        "We could not read the proof that you sent. Send a sharper picture or a PDF of your bank.",
                    ),
                    ("already_used", "This transfer has already been counted for another invoice."),
                    ("other", "Another reason, in your own words"),
                ],
                db_default="",
                default="",
                help_text="Chosen by the operator. Empty if it was not rejected, or before there were codes",
                max_length=20,
                verbose_name="reason of the rejection",
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="internal_note",
            field=models.TextField(
                blank=True,
                db_default="",
                default="",
                help_text="What the operator who rejected it wrote for other operators; the customer never reads it",
            ),
        ),
    ]
