"""The rows that a new installation starts with (docs/domain.md 1). Bank and wallet details are samples to replace."""

from decimal import Decimal
from typing import Any

from igny8_core.common.marks import gettext_noop

Rows = list[dict[str, Any]]

PLANS: Rows = [
    {
        "slug": "free",
        "name": "Free",
        "is_trial": True,
        "price": Decimal("0.00"),
        "included_credits": 1000,
        "max_sites": 1,
        "max_users": 1,
        "sort_order": 1,
        "features": ["1,000 credits to try everything", "1 site", "1 user"],
    },
    {
        "slug": "starter",
        "name": "Starter",
        "price": Decimal("89.00"),
        "included_credits": 1000,
        "max_sites": 1,
        "max_users": 2,
        "sort_order": 2,
        "features": ["1,000 credits a month", "1 site", "2 users"],
    },
    {
        "slug": "growth",
        "name": "Growth",
        "price": Decimal("139.00"),
        "included_credits": 2000,
        "max_sites": 3,
        "max_users": 5,
        "sort_order": 3,
        "features": ["2,000 credits a month", "3 sites", "5 users"],
    },
    {
        "slug": "scale",
        "name": "Scale",
        "price": Decimal("229.00"),
        "included_credits": 4000,
        "max_sites": 10,
        "max_users": 20,
        "sort_order": 4,
        "features": ["4,000 credits a month", "10 sites", "20 users"],
    },
    {
        "slug": "internal",
        "name": "Internal",
        "price": Decimal("0.00"),
        "included_credits": 100000,
        "max_sites": 1000,
        "max_users": 1000,
        "sort_order": 5,
        "is_public": False,
    },
]

INDUSTRIES: Rows = [
    {"slug": slug, "name": name}
    for slug, name in [
        ("agriculture", gettext_noop("Agriculture")),
        ("automotive", gettext_noop("Automotive")),
        ("beauty", gettext_noop("Beauty and personal care")),
        ("construction", gettext_noop("Construction")),
        ("education", gettext_noop("Education")),
        ("entertainment", gettext_noop("Entertainment and media")),
        ("fashion", gettext_noop("Fashion and apparel")),
        ("finance", gettext_noop("Finance and insurance")),
        ("food", gettext_noop("Food and drink")),
        ("healthcare", gettext_noop("Healthcare")),
        ("home", gettext_noop("Home and garden")),
        ("hospitality", gettext_noop("Hospitality")),
        ("legal", gettext_noop("Legal services")),
        ("logistics", gettext_noop("Logistics and transport")),
        ("manufacturing", gettext_noop("Manufacturing")),
        ("non-profit", gettext_noop("Non-profit and public services")),
        ("real-estate", gettext_noop("Real estate")),
        ("retail", gettext_noop("Retail and e-commerce")),
        ("sports", gettext_noop("Sports and fitness")),
        ("technology", gettext_noop("Technology")),
        ("travel", gettext_noop("Travel and tourism")),
        ("other", gettext_noop("Other")),
    ]
]

CREDIT_PACKAGES: Rows = [
    {"slug": "starter", "name": "Starter Pack", "credits": 500, "price": Decimal("9.00"), "sort_order": 1},
    {
        "slug": "pro",
        "name": "Pro Pack",
        "credits": 2000,
        "price": Decimal("29.00"),
        "discount_percentage": 10,
        "is_featured": True,
        "sort_order": 2,
    },
    {
        "slug": "business",
        "name": "Business Pack",
        "credits": 5000,
        "price": Decimal("69.00"),
        "discount_percentage": 15,
        "sort_order": 3,
    },
    {
        "slug": "enterprise",
        "name": "Enterprise Pack",
        "credits": 20000,
        "price": Decimal("249.00"),
        "discount_percentage": 20,
        "sort_order": 4,
    },
]

CREDIT_COSTS: Rows = [
    {
        "operation_type": "content_generation",
        "display_name": gettext_noop("Content generation"),
        "credits_per_unit": 1,
        "unit": gettext_noop("100 words"),
    },
    {
        "operation_type": "content_rewrite",
        "display_name": gettext_noop("Content rewrite"),
        "credits_per_unit": 1,
        "unit": gettext_noop("200 words"),
    },
    {
        "operation_type": "idea_generation",
        "display_name": gettext_noop("Idea generation"),
        "credits_per_unit": 15,
        "unit": gettext_noop("batch"),
    },
    {
        "operation_type": "image_generation",
        "display_name": gettext_noop("Image generation"),
        "credits_per_unit": 5,
        "unit": gettext_noop("image"),
    },
    {
        "operation_type": "keyword_clustering",
        "display_name": gettext_noop("Keyword clustering"),
        "credits_per_unit": 10,
        "unit": gettext_noop("run"),
    },
    {
        "operation_type": "internal_linking",
        "display_name": gettext_noop("Internal linking"),
        "credits_per_unit": 8,
        "unit": gettext_noop("article"),
    },
    {
        "operation_type": "optimization",
        "display_name": gettext_noop("Optimization"),
        "credits_per_unit": 1,
        "unit": gettext_noop("200 words"),
    },
]

_REFERENCE = gettext_noop(
    "Write the invoice number into the reference of the payment. Then confirm the payment with the reference "
    "that your bank or wallet shows you."
)


def _sample(
    country_code: str, payment_method: str, display_name: str, sort_order: int, **details: str
) -> dict[str, Any]:
    return {
        "country_code": country_code,
        "payment_method": payment_method,
        "display_name": display_name,
        "instructions": _REFERENCE,
        "sort_order": sort_order,
        "is_sample": True,
        **details,
    }


def _bank(country_code: str, display_name: str, **details: str) -> dict[str, Any]:
    return _sample(country_code, "bank_transfer", display_name, 3, **details)


def _wallet(country_code: str, display_name: str, wallet_type: str, wallet_id: str) -> dict[str, Any]:
    return _sample(country_code, "local_wallet", display_name, 4, wallet_type=wallet_type, wallet_id=wallet_id)


PAYMENT_METHODS: Rows = [
    {
        "country_code": "*",
        "payment_method": "stripe",
        "display_name": gettext_noop("Credit/Debit Card (Stripe)"),
        "sort_order": 1,
    },
    {"country_code": "*", "payment_method": "paypal", "display_name": "PayPal", "sort_order": 2},
    _bank("*", "Bank Transfer", bank_name="ABC Bank", account_number="1234567890", swift_code="ABCPKKA"),
    _wallet("PK", "JazzCash / Easypaisa", "JazzCash", "03001234567"),
    _bank(
        "US",
        "Bank Transfer (ACH)",
        bank_name="Sample Bank N.A.",
        routing_number="000000000",
        account_number="1234567890",
    ),
    _bank("GB", "Faster Payments", bank_name="Sample Bank plc", routing_number="00-00-00", account_number="12345678"),
    _bank("DE", "SEPA-Überweisung", bank_name="Musterbank AG", iban="DE00000000000000000000", swift_code="MUSTDEFF"),
    _bank(
        "AE", "Bank Transfer (UAE)", bank_name="Sample Bank PJSC", iban="AE000000000000000000000", swift_code="SAMPAEAD"
    ),
    _bank("NG", "Bank Transfer (Nigeria)", bank_name="Sample Bank Ltd", account_number="0123456789"),
    _wallet("IN", "UPI", "UPI", "igny8@samplebank"),
    _wallet("BD", "bKash", "bKash", "01700000000"),
    _wallet("KE", "M-Pesa", "M-Pesa", "000000"),
    _wallet("PH", "GCash", "GCash", "09000000000"),
    _wallet("ID", "DANA", "DANA", "080000000000"),
]
