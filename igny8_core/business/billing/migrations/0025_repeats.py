"""What finds a transfer that is sent in twice: its reference folded, and the file that shows it as it was sent."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0024_reasons_of_rejections")]

    operations = [
        migrations.AddField(
            model_name="payment",
            name="reference_fold",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="The same for all that people take for one reference. Empty if the release before wrote the "
                "row",
                max_length=100,
                verbose_name="reference for comparing",
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="is_repeated",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Another live payment had the same reference or the same proof, whichever of the two came "
                "first",
                verbose_name="seen elsewhere",
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="reference_key",
            field=models.CharField(
                blank=True, help_text="The reference without case, spaces and dashes", max_length=100
            ),
        ),
        migrations.AddField(
            model_name="paymentproof",
            name="original_sha256",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Of the file as it was sent, to find the same one again. Empty where it was sent to an older "
                "release",
                max_length=64,
                verbose_name="SHA-256 of the upload",
            ),
        ),
    ]
