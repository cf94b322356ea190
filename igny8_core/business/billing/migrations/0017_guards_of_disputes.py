from django.db import migrations

# As in 0003: a row of one account can never point to a row of another. And what was complained of stays on record.
GUARDED = """
ALTER TABLE igny8_refunds ADD CONSTRAINT igny8_refunds_account_key UNIQUE (account_id, id);
ALTER TABLE igny8_disputes ADD CONSTRAINT igny8_disputes_payment_same_account
    FOREIGN KEY (account_id, payment_id) REFERENCES igny8_payments (account_id, id);
ALTER TABLE igny8_disputes ADD CONSTRAINT igny8_disputes_refund_same_account
    FOREIGN KEY (account_id, refund_id) REFERENCES igny8_refunds (account_id, id);
CREATE TRIGGER igny8_disputes_kept BEFORE DELETE ON igny8_disputes
    FOR EACH ROW EXECUTE FUNCTION igny8_refuse_change();
"""
UNGUARDED = """
DROP TRIGGER igny8_disputes_kept ON igny8_disputes;
ALTER TABLE igny8_disputes DROP CONSTRAINT igny8_disputes_refund_same_account;
ALTER TABLE igny8_disputes DROP CONSTRAINT igny8_disputes_payment_same_account;
ALTER TABLE igny8_refunds DROP CONSTRAINT igny8_refunds_account_key;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0016_disputes")]

    operations = [migrations.RunSQL(GUARDED, UNGUARDED)]
