import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import igny8_core.common.clock


class Migration(migrations.Migration):
    dependencies = [
        ("igny8_auth", "0012_email_before"),
    ]

    operations = [
        migrations.CreateModel(
            name="SecondFactor",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="second_factor",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("secret", models.CharField(blank=True, db_default="", default="", max_length=255)),
                ("pending", models.CharField(blank=True, db_default="", default="", max_length=255)),
                (
                    "last_step",
                    models.BigIntegerField(
                        db_default=0,
                        default=0,
                        help_text="The half minute of the last code that was taken: it and older ones are not",
                    ),
                ),
                ("updated_at", models.DateTimeField(default=igny8_core.common.clock.now)),
            ],
            options={
                "db_table": "igny8_second_factors",
            },
        ),
        migrations.AlterModelOptions(
            name="user",
            options={
                "ordering": ("id",),
                "permissions": [("reset_second_factor", "Can take another person's second factor away")],
            },
        ),
        migrations.AddField(
            model_name="loginsession",
            name="confirmed_at",
            field=models.DateTimeField(
                blank=True, help_text="When the person last proved who they are; before that, at the login", null=True
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="second_factor_since",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="Since when logging in also needs a code of the person's device; empty: a password is enough",
                null=True,
                verbose_name="second factor on since",
            ),
        ),
        migrations.CreateModel(
            name="RecoveryCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField(default=igny8_core.common.clock.now, editable=False)),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="recovery_codes",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "igny8_recovery_codes",
                "constraints": [models.UniqueConstraint(fields=("user", "digest"), name="igny8_recovery_codes_unique")],
            },
        ),
    ]
