"""Each form of the console is refused to a role without its permission, and done for one that has it."""

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.test import Client

from igny8_core.auth.models import Industry
from igny8_core.auth.operator_roles import ROLES
from igny8_core.auth.services.operators import invite_operator
from igny8_core.business.billing.models import (
    CreditCostConfig,
    CreditPackage,
    PaymentMethodConfig,
    PlanPriceChange,
    WebhookEvent,
)
from igny8_core.common import clock
from igny8_core.console.access import ConsolePage, pages_of_console, permissions_asked
from igny8_core.events.deliveries import deliver_due
from igny8_core.events.models import Delivery
from tests import make
from tests.admin.filled_forms import FilledForm
from tests.admin.samples import first_of_each
from tests.admin.test_console_access import LOOKS, operator_as, who_may, who_may_not
from tests.api.world import fingerprint, undone
from tests.cases import some_of

ACTS = [page for page in pages_of_console() if permissions_asked(page) and page.does not in LOOKS]
# Pages that nothing but a form of another page is sent to.
WITHOUT_A_FORM = {
    *("billing_payment_decide", "billing_invoice_decide", "billing_paymentmethodconfig_switch"),
    "events_delivery_drop_selected",
}
# A gateway has to be there for these; their services are tested with one. What they say without it is no refusal.
CHANGES_NOTHING = {
    "billing_invoice_charge": "no saved card",
    "billing_payment_ask": "no gateway",
    "billing_payment_giveback": "no gateway",
    "billing_payment_order_again": "its price did not change",
    "auth_user_password_change": "superusers alone set one, of operators alone; leads back",
    "billing_payment_to_check": "leads to the page where it is checked",
}


def in_days(days: int) -> str:
    return (clock.today() + timedelta(days=days)).isoformat()


# What is typed into a field that is empty, by its name.
TYPED = {
    "until": in_days(30),
    "effective_on": in_days(90),
    "day": in_days(7),
    "due_date": in_days(7),
    "email": "new@example.com",
    "country_code": "PK",
    "billing_email": "bills@example.com",
    "reason": "As agreed",
    "text": "As agreed",
    "note": "As agreed",
    "tax_id": "",
    "valid_days": "",
    "stripe_product_id": "",
    "stripe_price_id": "",
    "paypal_product_id": "",
    "iban": "",
    "swift_code": "",
    "purchase_order_number": "",
    "description": "Consulting",
    "wallet_type": "JazzCash",
    "wallet_id": "0300123",
    **dict.fromkeys(("bank_name", "account_title", "account_number", "routing_number"), ""),
}
# What is typed over what stands there.
INSTEAD = {
    "billing_paymentmethodconfig_add": {"country_code": "NZ", "payment_method": "local_wallet"},
    "igny8_auth_account_change_plan": {"plan_slug": "larger"},
    "igny8_auth_subscription_change_plan": {"plan_slug": "larger"},
    "igny8_auth_user_add": {"usable_password": "false"},
}


class Scene:
    """One row of everything, as it has to stand so that each page can be used."""

    def __init__(self) -> None:
        self.account = first_of_each()
        self.waiting, self.unpaid = make.submitted_payment(), make.invoice()
        self.trial = make.owner({"status": "trial", "trial_ends_at": clock.now() + timedelta(days=3)}).account
        self.suspended = make.owner({"status": "suspended", "suspended_reason": "operator"}).account
        make.plan("larger", price="200.00", name="Larger")
        Industry.objects.create(name="Nobody's", slug="nobodys")
        change = {"price": "99.00", "currency": "USD", "billing_cycle": "monthly", "notice_days": 30}
        PlanPriceChange.objects.create(plan=make.plan("dearer"), effective_on=in_days(60), **change)
        make.plan("spare")
        invite_operator("invited@example.com", Group.objects.get(name="Read only"), make.operator(is_superuser=True))
        deliver_due()
        WebhookEvent.objects.update(state="needs_review")
        wallet = {"wallet_type": "JazzCash", "wallet_id": "03001234567"}
        PaymentMethodConfig.objects.filter(payment_method="local_wallet").update(**wallet)
        self.person = make.user(account=make.account(), second_factor_since=clock.now())
        sold = make.running_subscription()
        self.rows: dict[str, Any] = {
            "igny8_auth_account_extend_trial": self.trial,
            "billing_dunningaccount_extend_trial": self.trial,
            "igny8_auth_account_activate": self.suspended,
            "igny8_auth_account_change_plan": sold.account,
            "billing_payment_refund": self.account.payments.latest("pk"),
        }
        self.rows_of = {"account": self.account, "invoice": self.unpaid, "user": self.person, "subscription": sold}
        # Of these there are defaults too, newer ones if their snapshot is the newer one. They are filled in, so that
        # their forms would change nothing.
        self.rows_of |= {
            "paymentmethodconfig": PaymentMethodConfig.objects.get(display_name="Wallet "),
            "creditpackage": CreditPackage.objects.get(name="Package "),
            "creditcostconfig": CreditCostConfig.objects.get(display_name="Cost "),
        }
        first, self.given_up = Delivery.objects.earliest("pk"), Delivery.objects.latest("pk")
        Delivery.objects.filter(pk=self.given_up.pk).update(status="dead")
        later = clock.now() + timedelta(hours=1)
        Delivery.objects.filter(pk=first.pk).update(status="waiting", attempts=1, next_attempt_at=later)

    def address(self, page: ConsolePage) -> str:
        """A page with a row in it."""
        if page.name == "billing_invoice_add":
            return f"/{page.shown}?account={self.account.pk}"
        parts = page.shown.split("/")
        if "*" not in parts:
            return f"/{page.shown}"
        row = self.rows.get(page.name) or self.rows_of.get(parts[2])
        row = row or apps.get_model(parts[1], parts[2])._default_manager.order_by("pk").last()
        assert row, page.address
        return "/" + page.shown.replace("*", str(row.pk))

    def sent(self, page: ConsolePage, browser: Client) -> dict[str, str]:
        """The form of a page as somebody sends it who may open it, with what is missing typed."""
        if page.name in WITHOUT_A_FORM:
            decision = {"billing_payment_decide": "approve", "billing_invoice_decide": "void"}.get(page.name, "")
            ids = {"payments": str(self.waiting.pk), "invoices": str(self.unpaid.pk), "reason": "Wrong", "on": ""}
            return {"decision": decision, "deliveries": str(self.given_up.pk), **ids}
        shown = browser.get(self.address(page)).content.decode()
        fields = FilledForm(shown).fields | INSTEAD.get(page.name, {})
        fields = {name: value or TYPED.get(name, "7") for name, value in fields.items()}
        return {**fields, "post": "yes"} if page.does == "deletes" else {**fields, "_save": "Save"}


@pytest.mark.parametrize("acts", some_of([ACTS[part::4] for part in range(4)], each=4), ids=range(4))
def test_a_role_does_what_its_permissions_say_and_nothing_else(
    acts: list[ConsolePage], defaults: None, request: pytest.FixtureRequest
) -> None:
    """Who may not is refused, in each role; of who may, the role with the fewest permissions does it."""
    scene, owner = Scene(), operator_as("Owner")
    forms = {page: scene.sent(page, owner) for page in acts}
    browsers = {role: operator_as(role.name) for role in ROLES}
    request.getfixturevalue("undrawn")
    wrong, before = {}, fingerprint()

    for page, sent in forms.items():
        for role in who_may_not(page):
            status = browsers[role].post(scene.address(page), sent).status_code
            if status != 403:
                wrong[f"{role.name} {page.does} {page.address}"] = status

    assert wrong == {}
    assert fingerprint() == before

    for page, sent in forms.items():
        role = who_may(page)[0]
        with undone():
            answer = browsers[role].post(scene.address(page), sent)
            is_changed = fingerprint() != before
        if answer.status_code == 403 or is_changed != (page.name not in CHANGES_NOTHING):
            wrong[f"{role.name} {page.does} {page.address}"] = (answer.status_code, is_changed)

    assert wrong == {}
