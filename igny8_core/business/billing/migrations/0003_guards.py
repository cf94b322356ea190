from django.db import migrations

# The ledger only grows (docs/domain.md section 5), and what an invoice states does not change once it is final.
FROZEN = """
CREATE TRIGGER igny8_credit_transactions_append_only BEFORE UPDATE OR DELETE ON igny8_credit_transactions
    FOR EACH ROW EXECUTE FUNCTION igny8_refuse_change();
CREATE TRIGGER igny8_credit_transactions_no_truncate BEFORE TRUNCATE ON igny8_credit_transactions
    FOR EACH STATEMENT EXECUTE FUNCTION igny8_refuse_change();

CREATE FUNCTION igny8_refuse_invoice_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Invoice % is % and is kept as it is: % refused.', OLD.invoice_number, OLD.status, TG_OP
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER igny8_invoices_final BEFORE UPDATE ON igny8_invoices FOR EACH ROW
    WHEN (OLD.status IN ('paid', 'void') AND
          (OLD.status, OLD.account_id, OLD.subscription_id, OLD.invoice_number, OLD.currency, OLD.subtotal, OLD.tax,
           OLD.total, OLD.line_items, OLD.invoice_date, OLD.due_date, OLD.paid_at, OLD.metadata -> 'billing_snapshot')
          IS DISTINCT FROM
          (NEW.status, NEW.account_id, NEW.subscription_id, NEW.invoice_number, NEW.currency, NEW.subtotal, NEW.tax,
           NEW.total, NEW.line_items, NEW.invoice_date, NEW.due_date, NEW.paid_at, NEW.metadata -> 'billing_snapshot'))
    EXECUTE FUNCTION igny8_refuse_invoice_change();
CREATE TRIGGER igny8_invoices_kept BEFORE DELETE ON igny8_invoices
    FOR EACH ROW EXECUTE FUNCTION igny8_refuse_invoice_change();
CREATE TRIGGER igny8_payments_kept BEFORE DELETE ON igny8_payments
    FOR EACH ROW EXECUTE FUNCTION igny8_refuse_change();
"""
UNFROZEN = """
DROP TRIGGER igny8_payments_kept ON igny8_payments;
DROP TRIGGER igny8_invoices_kept ON igny8_invoices;
DROP TRIGGER igny8_invoices_final ON igny8_invoices;
DROP FUNCTION igny8_refuse_invoice_change();
DROP TRIGGER igny8_credit_transactions_no_truncate ON igny8_credit_transactions;
DROP TRIGGER igny8_credit_transactions_append_only ON igny8_credit_transactions;
"""

# A row of one account can never point to a row of another (docs/threats.md, TEN-19): the pair is the key.
SAME_ACCOUNT = """
ALTER TABLE igny8_users ADD CONSTRAINT igny8_users_account_key UNIQUE (account_id, id);
ALTER TABLE igny8_sites ADD CONSTRAINT igny8_sites_account_key UNIQUE (account_id, id);
ALTER TABLE igny8_subscriptions ADD CONSTRAINT igny8_subscriptions_account_key UNIQUE (account_id, id);
ALTER TABLE igny8_invoices ADD CONSTRAINT igny8_invoices_account_key UNIQUE (account_id, id);
ALTER TABLE igny8_accounts ADD CONSTRAINT igny8_accounts_owner_same_account
    FOREIGN KEY (id, owner_id) REFERENCES igny8_users (account_id, id);
ALTER TABLE igny8_invoices ADD CONSTRAINT igny8_invoices_subscription_same_account
    FOREIGN KEY (account_id, subscription_id) REFERENCES igny8_subscriptions (account_id, id);
ALTER TABLE igny8_payments ADD CONSTRAINT igny8_payments_invoice_same_account
    FOREIGN KEY (account_id, invoice_id) REFERENCES igny8_invoices (account_id, id);
ALTER TABLE igny8_credit_usage_log ADD CONSTRAINT igny8_credit_usage_log_site_same_account
    FOREIGN KEY (account_id, site_id) REFERENCES igny8_sites (account_id, id);
"""
ANY_ACCOUNT = """
ALTER TABLE igny8_credit_usage_log DROP CONSTRAINT igny8_credit_usage_log_site_same_account;
ALTER TABLE igny8_payments DROP CONSTRAINT igny8_payments_invoice_same_account;
ALTER TABLE igny8_invoices DROP CONSTRAINT igny8_invoices_subscription_same_account;
ALTER TABLE igny8_accounts DROP CONSTRAINT igny8_accounts_owner_same_account;
ALTER TABLE igny8_invoices DROP CONSTRAINT igny8_invoices_account_key;
ALTER TABLE igny8_subscriptions DROP CONSTRAINT igny8_subscriptions_account_key;
ALTER TABLE igny8_sites DROP CONSTRAINT igny8_sites_account_key;
ALTER TABLE igny8_users DROP CONSTRAINT igny8_users_account_key;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_initial"), ("events", "0003_append_only")]

    operations = [migrations.RunSQL(FROZEN, UNFROZEN), migrations.RunSQL(SAME_ACCOUNT, ANY_ACCOUNT)]
