from django.db import migrations

# A function, so that taking a key and looking for its answer is one statement for the caller and still two for
# PostgreSQL: the second sees what was committed until the lock was taken. One query would look with the snapshot from
# before the lock, miss an answer that was kept in between, and let the work be done again.
TAKE_KEY = """
    CREATE FUNCTION igny8_take_key(
        key_caller text, key_text text, OUT taken boolean, OUT request_hash text, OUT status integer, OUT body text
    ) LANGUAGE plpgsql AS $$
    BEGIN
        taken := pg_try_advisory_xact_lock(hashtextextended('idempotency key:' || key_caller || ':' || key_text, 0));
        IF taken THEN
            SELECT answer.request_hash, answer.status, answer.body INTO request_hash, status, body
            FROM igny8_idempotent_answers answer WHERE answer.caller = key_caller AND answer.key = key_text;
        END IF;
    END
    $$
"""


class Migration(migrations.Migration):
    dependencies = [("common", "0003_one_clock")]

    operations = [migrations.RunSQL(TAKE_KEY, "DROP FUNCTION igny8_take_key(text, text)")]
