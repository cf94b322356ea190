from django.db import migrations

# As in 0003: a row of one account can never point to a row of another. And what was tried stays on record.
GUARDED = """
ALTER TABLE igny8_refunds ADD CONSTRAINT igny8_refunds_payment_same_account
    FOREIGN KEY (account_id, payment_id) REFERENCES igny8_payments (account_id, id);
CREATE TRIGGER igny8_refunds_kept BEFORE DELETE ON igny8_refunds
    FOR EACH ROW EXECUTE FUNCTION igny8_refuse_change();
"""
UNGUARDED = """
DROP TRIGGER igny8_refunds_kept ON igny8_refunds;
ALTER TABLE igny8_refunds DROP CONSTRAINT igny8_refunds_payment_same_account;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0009_gateways")]

    operations = [migrations.RunSQL(GUARDED, UNGUARDED)]
