from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("igny8_auth", "0011_words_for_people"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="email_before",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="The address that an operator last replaced, which is told of it",
                max_length=254,
            ),
        ),
    ]
