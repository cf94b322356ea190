"""A short name for each operation, for people who read a list of them."""

# Where the operation id alone does not read as English. Others need no line here: "list_invoices" is "List invoices".
SUMMARIES = {
    "account_limits": "Show how much of the plan is used",
    "account_settings": "Show account settings",
    "approve_payment": "Approve payment, under billing/",
    "change_password": "Change one's password",
    "change_role": "Change the role of a member",
    "complete_payment": "Go on with a card or PayPal payment",
    "confirm_payment": "Confirm a bank transfer or wallet payment",
    "credit_balance": "Show credit balance",
    "download_credit_note": "Download credit note as PDF",
    "download_invoice": "Download invoice as PDF",
    "expiring_credits": "Show credits that expire soon",
    "invite": "Invite somebody to the team",
    "list_activity": "List what happened in the account",
    "list_payment_methods": "List payment methods of a country",
    "list_payment_methods_under_admin": "List payment methods of a country, under billing/admin/",
    "list_site_access": "List who may work on a site",
    "list_team": "List members of the team",
    "login": "Log in",
    "logout": "Log out",
    "make_payment_method_default": "Make saved payment method the default",
    "me": "Show who is logged in",
    "preview_plan": "Preview what a plan would cost",
    "reactivate_subscription": "Reactivate subscription",
    "receive_paypal_webhook": "Receive webhook of PayPal",
    "receive_stripe_webhook": "Receive webhook of Stripe",
    "refresh": "Refresh tokens",
    "register": "Sign up",
    "reject_payment": "Reject payment, under billing/",
    "resend_email_verification": "Resend the link that verifies one's address",
    "retrieve_payment_proof": "Retrieve payment proof and its link",
    "retrieve_subscription": "Retrieve current subscription",
    "set_up_card": "Begin to save a card",
    "spend_credits": "Spend credits on an operation",
    "operator_adjust_credits": "Adjust credits of an account",
    "operator_download_invoice": "Download invoice as PDF",
    "operator_list_payment_methods": "List configured payment methods",
    "operator_retrieve_payment_method": "Retrieve configured payment method",
    "operator_statistics": "Show how business stands",
    "update_me": "Change one's own name",
    "usage_analytics": "Analyse what credits were used for",
    "verify_email": "Verify e-mail address",
}


def summary_of(operation_id: str, *, for_operators: bool) -> str:
    """What an operation does, in a few words; those for operators say so."""
    words = SUMMARIES.get(operation_id) or operation_id.removeprefix("operator_").replace("_", " ").capitalize()
    return f"{words} (operators)" if for_operators else words
