from django.db import migrations

# Notes of operators are part of what happened to an account: nobody rewrites or removes one.
APPEND_ONLY = """
CREATE TRIGGER igny8_account_notes_append_only BEFORE UPDATE OR DELETE ON igny8_account_notes
    FOR EACH ROW EXECUTE FUNCTION igny8_refuse_change();
"""
CHANGEABLE = "DROP TRIGGER igny8_account_notes_append_only ON igny8_account_notes;"


class Migration(migrations.Migration):
    dependencies = [("igny8_auth", "0021_operators_day"), ("events", "0003_append_only")]

    operations = [migrations.RunSQL(APPEND_ONLY, CHANGEABLE)]
