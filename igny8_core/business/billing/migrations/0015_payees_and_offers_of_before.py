"""What a database of before holds of samples, details, open invoices and defaults, in the tables of now.

What an invoice offered when it was made was recorded nowhere, and is not guessed. An open one gets what its documents
say today, marked as reconstructed, so that a later change of details does not reach it any more. No document of a paid or
void invoice says how to pay it.
"""

from typing import Any

from django.db import migrations

REFERENCE = (
    "Write the invoice number into the reference of the payment. Then confirm the payment with the reference "
    "that your bank or wallet shows you."
)
# Country, method, account number, IBAN, wallet number, and the text with which the sample was made.
BANK, WALLET = "bank_transfer", "local_wallet"
SAMPLES = [
    ("*", BANK, "1234567890", "", "", "Bank: ABC Bank\nAccount: 1234567890\nSWIFT: ABCPKKA"),
    ("PK", WALLET, "", "", "03001234567", "Send payment to:\nJazzCash: 03001234567"),
    (
        *("US", BANK, "1234567890", "", ""),
        "Bank name: Sample Bank N.A.\nRouting number: 000000000\nAccount number: 1234567890",
    ),
    (
        *("GB", BANK, "12345678", "", ""),
        "Bank name: Sample Bank plc\nRouting number: 00-00-00\nAccount number: 12345678",
    ),
    (
        *("DE", BANK, "", "DE00000000000000000000", ""),
        "Bank name: Musterbank AG\nIban: DE00000000000000000000\nSwift code: MUSTDEFF",
    ),
    (
        *("AE", BANK, "", "AE000000000000000000000", ""),
        "Bank name: Sample Bank PJSC\nIban: AE000000000000000000000\nSwift code: SAMPAEAD",
    ),
    ("NG", BANK, "0123456789", "", "", "Bank name: Sample Bank Ltd\nAccount number: 0123456789"),
    ("IN", WALLET, "", "", "igny8@samplebank", "Send payment to:\nUPI: igny8@samplebank"),
    ("BD", WALLET, "", "", "01700000000", "Send payment to:\nbKash: 01700000000"),
    ("KE", WALLET, "", "", "000000", "Send payment to:\nM-Pesa: 000000"),
    ("PH", WALLET, "", "", "09000000000", "Send payment to:\nGCash: 09000000000"),
    ("ID", WALLET, "", "", "080000000000", "Send payment to:\nDANA: 080000000000"),
]
MARK_SAMPLE = """
UPDATE igny8_payment_method_config SET
    is_sample = true,
    instructions = CASE instructions WHEN %(printed)s THEN %(reference)s ELSE instructions END
WHERE (country_code, payment_method, account_number, iban, wallet_id)
    = (%(country)s, %(method)s, %(account)s, %(iban)s, %(wallet)s)
"""
MAKE_VERSIONS = """
WITH made AS (
    INSERT INTO igny8_payee_versions
        (country_code, payment_method, instructions, bank_name, account_title, account_number, routing_number, iban,
         swift_code, wallet_type, wallet_id, is_sample, created_at)
    SELECT country_code, payment_method, instructions, bank_name, account_title, account_number, routing_number, iban,
           swift_code, wallet_type, wallet_id, is_sample, now()
    FROM igny8_payment_method_config
    WHERE payment_method NOT IN ('stripe', 'paypal') ORDER BY id
    RETURNING id, country_code, payment_method
)
UPDATE igny8_payment_method_config config SET payee_version_id = made.id
FROM made WHERE (config.country_code, config.payment_method) = (made.country_code, made.payment_method)
"""
MAKE_OFFERS = """
INSERT INTO igny8_invoice_offers
    (invoice_id, payment_method, payee_version_id, position, country_code, display_name, config_id, is_reconstructed)
SELECT invoice.id, offered.payment_method, offered.payee_version_id,
       row_number() OVER (PARTITION BY invoice.id ORDER BY offered.sort_order, offered.id),
       offered.country_code, offered.display_name, offered.id, true
FROM igny8_invoices invoice
CROSS JOIN LATERAL (
    SELECT DISTINCT ON (payment_method) * FROM igny8_payment_method_config
    WHERE country_code IN ('*', invoice.metadata -> 'billing_snapshot' ->> 'country')
    ORDER BY payment_method, country_code = '*'
) offered
WHERE offered.is_enabled AND invoice.stripe_invoice_id = '' AND invoice.status IN ('draft', 'pending', 'uncollectible')
"""
# Where one default of a kind is there, seed_defaults has run, and what is missing was deleted or renamed.
NOTE_DEFAULTS = """
INSERT INTO igny8_made_defaults (kind, key)
SELECT %(kind)s, unnest(%(keys)s) WHERE EXISTS (SELECT FROM {table} WHERE {key} = ANY (%(keys)s))
"""
DEFAULTS = [
    ("igny8_auth.plan", "igny8_plans", "slug", "free starter growth scale internal".split()),
    (
        *("igny8_auth.industry", "igny8_industries", "slug"),
        (
            "agriculture automotive beauty construction education entertainment fashion finance food healthcare home "
            "hospitality legal logistics manufacturing non-profit real-estate retail sports technology travel other"
        ).split(),
    ),
    ("billing.creditpackage", "igny8_credit_packages", "slug", "starter pro business enterprise".split()),
    (
        *("billing.creditcostconfig", "igny8_credit_cost_config", "operation_type"),
        (
            "content_generation content_rewrite idea_generation image_generation keyword_clustering internal_linking "
            "optimization"
        ).split(),
    ),
    (
        *("billing.paymentmethodconfig", "igny8_payment_method_config", "country_code || ' ' || payment_method"),
        ["* stripe", "* paypal", *(f"{country} {method}" for country, method, *_ in SAMPLES)],
    ),
]


def carry_over(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        for country, method, account, iban, wallet, printed in SAMPLES:
            texts = {"printed": f"{printed}\n{REFERENCE}", "reference": REFERENCE}
            numbers = {"account": account, "iban": iban, "wallet": wallet}
            cursor.execute(MARK_SAMPLE, {"country": country, "method": method, **numbers, **texts})
        cursor.execute(MAKE_VERSIONS)
        cursor.execute(MAKE_OFFERS)
        for kind, table, key, keys in DEFAULTS:
            cursor.execute(NOTE_DEFAULTS.format(table=table, key=key), {"kind": kind, "keys": keys})


class Migration(migrations.Migration):
    dependencies = [("billing", "0014_guards_of_payees"), ("igny8_auth", "0006_one_clock")]

    operations = [migrations.RunPython(carry_over, migrations.RunPython.noop)]
