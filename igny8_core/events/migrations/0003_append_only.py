from django.db import migrations

# The log is evidence: whoever can write to the table through the application, the admin or a shell can only append.
APPEND_ONLY = """
CREATE FUNCTION igny8_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused. Correct an error by adding a row.', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER igny8_events_append_only BEFORE UPDATE OR DELETE ON igny8_events
    FOR EACH ROW EXECUTE FUNCTION igny8_refuse_change();
CREATE TRIGGER igny8_events_no_truncate BEFORE TRUNCATE ON igny8_events
    FOR EACH STATEMENT EXECUTE FUNCTION igny8_refuse_change();
"""
CHANGEABLE = """
DROP TRIGGER igny8_events_no_truncate ON igny8_events;
DROP TRIGGER igny8_events_append_only ON igny8_events;
DROP FUNCTION igny8_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("events", "0002_initial")]

    operations = [migrations.RunSQL(APPEND_ONLY, CHANGEABLE)]
