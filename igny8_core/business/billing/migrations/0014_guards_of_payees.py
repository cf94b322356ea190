from django.db import migrations

# What a customer was told stays as it was. And no way of changing details, neither SQL nor the release before, leaves a
# version that says something else: it is taken away, and a new one is made when it is needed.
GUARDED = """
CREATE TRIGGER igny8_payee_versions_unchanged BEFORE UPDATE OR DELETE ON igny8_payee_versions
    FOR EACH ROW EXECUTE FUNCTION igny8_refuse_change();
CREATE TRIGGER igny8_invoice_offers_unchanged BEFORE UPDATE OR DELETE ON igny8_invoice_offers
    FOR EACH ROW EXECUTE FUNCTION igny8_refuse_change();

CREATE FUNCTION igny8_outdate_payee_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.payee_version_id IS NOT DISTINCT FROM OLD.payee_version_id THEN
        NEW.payee_version_id := NULL;
    END IF;
    IF (OLD.account_number, OLD.iban, OLD.wallet_id) IS DISTINCT FROM (NEW.account_number, NEW.iban, NEW.wallet_id) THEN
        NEW.is_sample := false;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER igny8_payment_method_config_outdated BEFORE UPDATE ON igny8_payment_method_config FOR EACH ROW
    WHEN ((OLD.country_code, OLD.payment_method, OLD.instructions, OLD.bank_name, OLD.account_title, OLD.account_number,
           OLD.routing_number, OLD.iban, OLD.swift_code, OLD.wallet_type, OLD.wallet_id)
          IS DISTINCT FROM
          (NEW.country_code, NEW.payment_method, NEW.instructions, NEW.bank_name, NEW.account_title, NEW.account_number,
           NEW.routing_number, NEW.iban, NEW.swift_code, NEW.wallet_type, NEW.wallet_id))
    EXECUTE FUNCTION igny8_outdate_payee_version();
"""
UNGUARDED = """
DROP TRIGGER igny8_payment_method_config_outdated ON igny8_payment_method_config;
DROP FUNCTION igny8_outdate_payee_version();
DROP TRIGGER igny8_invoice_offers_unchanged ON igny8_invoice_offers;
DROP TRIGGER igny8_payee_versions_unchanged ON igny8_payee_versions;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0013_payees_and_offers")]

    operations = [migrations.RunSQL(GUARDED, UNGUARDED)]
