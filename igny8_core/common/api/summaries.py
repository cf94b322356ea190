"""A short name of each operation, for lists of operations."""

# For operation ids that do not read as English by themselves. "list_invoices" becomes "List invoices" without a line.
SUMMARIES = {
    "account_limits": "Show how much of the plan's limits is used",
    "account_settings": "Show account settings",
    "approve_payment": "Approve payment, under billing/",
    "change_password": "Change your password",
    "begin_second_factor": "Begin to set up a device as second factor",
    "confirm_login": "Show once more that it is you",
    "finish_second_factor": "Enable the second factor",
    "disable_second_factor": "Disable the second factor",
    "second_factor": "Show whether your second factor is on",
    "change_role": "Change the role of a member",
    "complete_payment": "Continue a card or PayPal payment",
    "confirm_payment": "Confirm a bank transfer or wallet payment",
    "credit_balance": "Show credit balance",
    "download_credit_note": "Download credit note as PDF",
    "download_invoice": "Download invoice as PDF",
    "expiring_credits": "Show credits that expire soon",
    "invite": "Invite somebody to the team",
    "list_activity": "List the account's events",
    "list_payment_methods": "List payment methods of a country",
    "list_payment_methods_under_admin": "List payment methods of a country, under billing/admin/",
    "list_site_access": "List members with access to a site",
    "list_team": "List members of the team",
    "login": "Log in",
    "logout": "Log out",
    "make_payment_method_default": "Make saved payment method the default",
    "me": "Show your user and account",
    "preview_plan": "Preview the price of a plan",
    "reactivate_subscription": "Reactivate subscription",
    "receive_paypal_webhook": "Receive webhook of PayPal",
    "receive_stripe_webhook": "Receive webhook of Stripe",
    "refresh": "Refresh tokens",
    "register": "Sign up",
    "reject_payment": "Reject payment, under billing/",
    "resend_email_verification": "Resend the link that verifies your e-mail address",
    "retrieve_payment_proof": "Retrieve payment proof and its link",
    "retrieve_subscription": "Retrieve current subscription",
    "set_up_card": "Begin to save a card",
    "spend_credits": "Spend credits on an operation",
    "operator_adjust_credits": "Adjust credits of an account",
    "operator_download_invoice": "Download invoice as PDF",
    "operator_list_payment_methods": "List configured payment methods",
    "operator_retrieve_payment_method": "Retrieve configured payment method",
    "operator_statistics": "Show business statistics",
    "update_me": "Change your name",
    "usage_analytics": "Show credits used by operation and period",
    "verify_email": "Verify e-mail address",
}


def summary_of(operation_id: str, *, for_operators: bool) -> str:
    """What an operation does, in a few words; operations for operators end with "(operators)"."""
    words = SUMMARIES.get(operation_id) or operation_id.removeprefix("operator_").replace("_", " ").capitalize()
    return f"{words} (operators)" if for_operators else words
