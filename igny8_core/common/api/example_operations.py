"""Examples of single operations, in the story that example_values.py tells."""

from typing import Any

from igny8_core.common.api.example_values import LEFT_OUT, NO_BANK, PERIOD, WALLET

_PAID = {
    "status": "paid",
    "paid_at": "2026-12-02T10:00:00Z",
    "billing_period_start": PERIOD["current_period_start"],
    "billing_period_end": PERIOD["current_period_end"],
}
_WALLET_ROW = {
    **WALLET,
    "payment_method_display": "Local Wallet",
    **dict.fromkeys(NO_BANK, ""),
}
_STAFF_INVOICE = {
    "subscription_id": None,
    "line_items": [{"description": "Migration of a shop", "quantity": 2, "amount": "44.50", "credits": LEFT_OUT}],
    "notes": "Thank you",
}
# An upgrade in the middle of the period: half of 89.00 is given back, half of 139.00 is charged.
_UPGRADE = {
    "subscription": {**PERIOD, "status": "active"},
    "invoice": {
        "invoice_number": "INV-1-202612-0002",
        "subtotal": "25.00",
        "total": "25.00",
        "line_items": [
            {
                "description": "Unused time on Starter, 2026-12-17 to 2027-01-02",
                "amount": "-44.50",
                "credits": LEFT_OUT,
            },
            {"description": "Growth plan, monthly, until 2027-01-02", "amount": "69.50", "credits": 500},
        ],
        "invoice_date": "2026-12-17",
        "due_date": "2026-12-24",
        "billing_period_start": PERIOD["current_period_start"],
        "billing_period_end": PERIOD["current_period_end"],
        "created_at": "2026-12-17T22:00:00Z",
    },
}
# By operation id: the body of the request, and the data of the answer, where the component's example does not fit.
REQUESTS: dict[str, dict[str, Any]] = {
    "change_password": {"new_password": "new long and unusual 8"},
    "downgrade_subscription": {"plan_slug": "starter"},
    "operator_change_subscription": {"plan_slug": "growth"},
    "operator_suspend_account": {"reason": "Sends spam"},
    "operator_update_payment_method": {"country_code": LEFT_OUT, "payment_method": LEFT_OUT},
    "operator_void_invoice": {"reason": "Made for the wrong account"},
    "upgrade_subscription": {"plan_slug": "growth", "expected_renewal_amount": "139.00"},
}
ANSWERS: dict[str, Any] = {
    "accept_invitation": {
        "user": {"id": 2, "email": "bilal@example.com", "first_name": "Bilal", "last_name": "Ahmed", "role": "editor"}
    },
    "add_saved_payment_method": {
        "type": "local_wallet",
        "type_display": "Local Wallet",
        "display_name": "My wallet",
        "is_verified": False,
        "card_brand": "",
        "card_last4": "",
        "card_exp_month": None,
        "card_exp_year": None,
    },
    "complete_payment": {"status": "succeeded", "next_step": "none", "client_secret": "", "public_key": ""},
    "change_role": {"id": 2, "email": "bilal@example.com", "first_name": "Bilal", "last_name": "Ahmed"},
    "cancel_subscription": {"cancel_at_period_end": True, "canceled_at": "2026-12-20T09:00:00Z"},
    "downgrade_subscription": {"plan": "growth", "pending_plan": "starter"},
    "grant_site_access": {"user": 2, "email": "bilal@example.com", "first_name": "Bilal", "last_name": "Ahmed"},
    "list_invoices": [_PAID],
    "list_team": [{"role": "owner"}],
    "list_site_access": [{"role": "owner", "granted_at": None}],
    "retrieve_invoice": _PAID,
    "operator_activate_account": {"status": "active", "suspended_reason": ""},
    "operator_create_credit_cost": {
        "operation_type": "translation",
        "display_name": "Translation",
        "credits_per_unit": 3,
        "unit": "100 words",
    },
    "operator_create_invoice": _STAFF_INVOICE,
    "operator_create_payment_method": _WALLET_ROW,
    "operator_update_payment_method": _WALLET_ROW,
    "operator_end_subscription": {"cancel_at_period_end": True},
    "operator_void_invoice": {**_STAFF_INVOICE, "status": "void", "void_reason": "Made for the wrong account"},
    "transfer_ownership": {
        "id": 2,
        "email": "bilal@example.com",
        "first_name": "Bilal",
        "last_name": "Ahmed",
        "role": "owner",
    },
    "update_site": {"status": "inactive"},
    "upgrade_subscription": _UPGRADE,
    "upload_payment_proof": {"payment_id": None},
}
