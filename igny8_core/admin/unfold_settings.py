"""Settings of the console's theme: titles, and the sidebar with its permissions."""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.functional import lazy


@cache
def _address(name: str) -> str:
    return reverse(name)


# Of a page by its name. The theme asks for each address of the sidebar several times on every page.
_address_of = lazy(_address, str)


def _link(title: str, icon: str, model: str, **more: Any) -> dict[str, Any]:
    """A link in the sidebar, for operators who may see `model` (app_model)."""
    app, _, name = model.rpartition("_")
    address = _address_of(f"admin:{model}_changelist")
    return {"title": title, "icon": icon, "link": address, "permission": _may(f"{app}.view_{name}"), **more}


def _may(permission: str) -> Callable[[HttpRequest], bool]:
    return lambda request: request.user.has_perm(permission)


_LIST, _QUEUE = _address_of("admin:billing_payment_changelist"), _address_of("admin:billing_payment_queue")


def _is_list(request: HttpRequest) -> bool:
    """Whether this is one of the payments' pages: the theme would mark the list for the queue below it too."""
    return request.path.startswith(str(_LIST)) and not request.path.startswith(str(_QUEUE))


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "igny8 console",
    "SITE_HEADER": "igny8 console",
    "SITE_SUBHEADER": "Accounts and billing",
    "SITE_SYMBOL": "account_balance",
    "SITE_URL": None,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("console/icon.svg")}],
    "SHOW_VIEW_ON_SITE": False,
    "ACCOUNT": {
        "navigation": [
            {"title": "Second factor", "link": _address_of("console_second_factor")},
            {"title": "Change password", "link": _address_of("admin:password_change")},
        ]
    },
    "LOGIN": {"form": "igny8_core.admin.login.LoginForm"},
    "ENVIRONMENT": "igny8_core.admin.dashboard.environment",
    "DASHBOARD_CALLBACK": "igny8_core.admin.dashboard.dashboard",
    "STYLES": [lambda request: static("console/console.css")],
    "SCRIPTS": [
        lambda request: static("console/search.js"),
        lambda request: static("console/names.js"),
        lambda request: static("console/dialogs.js"),
    ],
    "SIDEBAR": {
        "show_search": True,
        "navigation": [
            {
                "title": "",
                "items": [{"title": "Dashboard", "icon": "space_dashboard", "link": _address_of("admin:index")}],
            },
            {
                "title": "Payments",
                "separator": True,
                "items": [
                    {
                        "title": "Payments to check",
                        "icon": "fact_check",
                        "link": _QUEUE,
                        "permission": _may("billing.view_payment"),
                        "badge": "igny8_core.admin.dashboard.waiting_badge",
                        "badge_variant": "warning",
                    },
                    {
                        "title": "Payments to review",
                        "icon": "report",
                        "link": lambda request: f"{_LIST}?needs_review__exact=1",
                        "active": lambda request: _is_list(request) and "needs_review__exact" in request.GET,
                        "permission": _may("billing.view_payment"),
                        "badge": "igny8_core.admin.dashboard.review_badge",
                        "badge_variant": "warning",
                    },
                    _link("Payments", "payments", "billing_payment", active=_is_list),
                    _link("Decisions about several", "checklist", "billing_bulkdecision"),
                    _link("Proofs of payment", "attach_file", "billing_paymentproof"),
                    _link("Refunds", "currency_exchange", "billing_refund"),
                    _link("Disputes", "gavel", "billing_dispute"),
                ],
            },
            {
                "title": "Payment methods",
                "separator": True,
                "items": [
                    _link("Payment methods", "account_balance", "billing_paymentmethodconfig"),
                    _link("Saved payment methods", "credit_card", "billing_accountpaymentmethod"),
                    _link("Bank and wallet details", "history", "billing_payeeversion"),
                    _link("Methods offered on invoices", "request_quote", "billing_invoiceoffer"),
                ],
            },
            {
                "title": "Billing",
                "separator": True,
                "items": [
                    _link("Invoices", "receipt_long", "billing_invoice"),
                    {
                        **_link("Dunning", "notification_important", "billing_dunningaccount"),
                        "permission": _may("igny8_auth.view_account"),
                    },
                    _link("Dunning steps", "stairs", "billing_dunningstep"),
                    _link("Exemptions and deadlines", "more_time", "billing_dunningpause"),
                    _link("Business days", "calendar_month", "billing_businessday"),
                    _link("Credit notes", "undo", "billing_creditnote"),
                    _link("Subscriptions", "autorenew", "igny8_auth_subscription"),
                    _link("Renewals", "event_repeat", "billing_renewal"),
                    _link("Credit transactions", "menu_book", "billing_credittransaction"),
                    _link("Credit grants", "inventory_2", "billing_creditgrant"),
                    _link("Credit usage", "bar_chart", "billing_creditusagelog"),
                ],
            },
            {
                "title": "Accounts",
                "separator": True,
                "items": [
                    _link("Accounts", "apartment", "igny8_auth_account"),
                    _link("Notes", "edit_note", "igny8_auth_accountnote"),
                    _link("Users", "group", "igny8_auth_user"),
                    _link("Invitations", "mail", "igny8_auth_teaminvitation"),
                    _link("Sites", "language", "igny8_auth_site"),
                    _link("Site access", "key", "igny8_auth_siteuseraccess"),
                    _link("Operator groups", "shield_person", "auth_group"),
                    _link("Operator invitations", "person_add", "igny8_auth_operatorinvitation"),
                ],
            },
            {
                "title": "Plans and prices",
                "separator": True,
                "items": [
                    _link("Plans", "sell", "igny8_auth_plan"),
                    _link("Price changes", "price_change", "billing_planpricechange"),
                    _link("Price change notices", "campaign", "billing_pricechangenotice"),
                    _link("Credit packages", "shopping_bag", "billing_creditpackage"),
                    _link("Credit costs", "price_check", "billing_creditcostconfig"),
                    _link("Industries", "category", "igny8_auth_industry"),
                ],
            },
            {
                "title": "Mails and log",
                "separator": True,
                "items": [
                    _link("Events", "history", "events_event"),
                    _link("Deliveries", "outbox", "events_delivery"),
                    _link("Webhook messages", "webhook", "billing_webhookevent"),
                    {
                        "title": "E-mail previews",
                        "icon": "drafts",
                        "link": _address_of("console_mail_previews"),
                        "permission": _may("events.view_delivery"),
                    },
                    _link("Limits hit", "front_hand", "common_limithit"),
                ],
            },
            # For whoever runs the software. Closed until somebody opens it, and at the end.
            {
                "title": "Technical",
                "separator": True,
                "collapsible": True,
                "items": [
                    _link("Mail server", "mail", "events_lane"),
                    _link("Scheduled tasks", "schedule", "events_taskrun"),
                    _link("Operators' edits", "edit_note", "admin_logentry"),
                    _link("Login sessions", "login", "igny8_auth_loginsession"),
                    _link("Second factors", "phonelink_lock", "igny8_auth_secondfactor"),
                    _link("Recovery codes", "password", "igny8_auth_recoverycode"),
                    _link("Logins as customers", "visibility", "igny8_auth_customerlogin"),
                    _link("Invoice counters", "tag", "billing_invoicecounter"),
                    _link("Rate counters", "speed", "common_ratecounter"),
                    _link("Sums of days", "functions", "billing_dailysum"),
                ],
            },
        ],
    },
}
