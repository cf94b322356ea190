from django.db import migrations

# As in 0003: a row of one account never points to a row of another.
SAME_ACCOUNT = """
ALTER TABLE igny8_dunning_steps ADD CONSTRAINT igny8_dunning_steps_invoice_same_account
    FOREIGN KEY (account_id, invoice_id) REFERENCES igny8_invoices (account_id, id);
ALTER TABLE igny8_dunning_pauses ADD CONSTRAINT igny8_dunning_pauses_invoice_same_account
    FOREIGN KEY (account_id, invoice_id) REFERENCES igny8_invoices (account_id, id);
"""
ANY_ACCOUNT = """
ALTER TABLE igny8_dunning_pauses DROP CONSTRAINT igny8_dunning_pauses_invoice_same_account;
ALTER TABLE igny8_dunning_steps DROP CONSTRAINT igny8_dunning_steps_invoice_same_account;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0029_dunning")]

    operations = [migrations.RunSQL(SAME_ACCOUNT, ANY_ACCOUNT)]
