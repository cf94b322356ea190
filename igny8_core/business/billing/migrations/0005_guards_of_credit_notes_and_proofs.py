from django.db import migrations

# A credit note states what happened, and a proof is what the customer showed: neither changes afterwards. A proof that
# was never used for a payment is deleted with its file.
KEPT = """
CREATE TRIGGER igny8_credit_notes_append_only BEFORE UPDATE OR DELETE ON igny8_credit_notes
    FOR EACH ROW EXECUTE FUNCTION igny8_refuse_change();
CREATE TRIGGER igny8_payment_proofs_unchanged BEFORE UPDATE ON igny8_payment_proofs
    FOR EACH ROW EXECUTE FUNCTION igny8_refuse_change();
"""
NOT_KEPT = """
DROP TRIGGER igny8_payment_proofs_unchanged ON igny8_payment_proofs;
DROP TRIGGER igny8_credit_notes_append_only ON igny8_credit_notes;
"""

# As in 0003: a row of one account can never point to a row of another.
SAME_ACCOUNT = """
ALTER TABLE igny8_payments ADD CONSTRAINT igny8_payments_account_key UNIQUE (account_id, id);
ALTER TABLE igny8_payment_proofs ADD CONSTRAINT igny8_payment_proofs_account_key UNIQUE (account_id, id);
ALTER TABLE igny8_payments ADD CONSTRAINT igny8_payments_proof_same_account
    FOREIGN KEY (account_id, proof_id) REFERENCES igny8_payment_proofs (account_id, id);
ALTER TABLE igny8_credit_notes ADD CONSTRAINT igny8_credit_notes_payment_same_account
    FOREIGN KEY (account_id, payment_id) REFERENCES igny8_payments (account_id, id);
ALTER TABLE igny8_credit_notes ADD CONSTRAINT igny8_credit_notes_invoice_same_account
    FOREIGN KEY (account_id, invoice_id) REFERENCES igny8_invoices (account_id, id);
"""
ANY_ACCOUNT = """
ALTER TABLE igny8_credit_notes DROP CONSTRAINT igny8_credit_notes_invoice_same_account;
ALTER TABLE igny8_credit_notes DROP CONSTRAINT igny8_credit_notes_payment_same_account;
ALTER TABLE igny8_payments DROP CONSTRAINT igny8_payments_proof_same_account;
ALTER TABLE igny8_payment_proofs DROP CONSTRAINT igny8_payment_proofs_account_key;
ALTER TABLE igny8_payments DROP CONSTRAINT igny8_payments_account_key;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0004_credit_notes_payment_proofs")]

    operations = [migrations.RunSQL(KEPT, NOT_KEPT), migrations.RunSQL(SAME_ACCOUNT, ANY_ACCOUNT)]
