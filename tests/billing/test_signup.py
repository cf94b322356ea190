"""Signing up: all of it or nothing; what is offered; the default data; the list of payment methods."""

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, Industry, Plan, Subscription, User
from igny8_core.business.billing import errors
from igny8_core.business.billing.api.payment_methods import rendered_lists
from igny8_core.business.billing.models import (
    AccountPaymentMethod,
    CreditCostConfig,
    CreditPackage,
    CreditTransaction,
    Invoice,
    PaymentMethodConfig,
)
from igny8_core.business.signup.service import Signup, register
from igny8_core.common.errors import DomainError, InvalidInput
from igny8_core.events.models import Event
from tests import make
from tests.api.world import fingerprint

pytestmark = pytest.mark.django_db


def sign_up(**fields: Any) -> Signup:
    return register(
        **{
            "email": "new@example.com",
            "password": make.PASSWORD,
            "first_name": "Nora",
            "last_name": "New",
            **fields,
        }
    )


def test_a_trial_has_its_credits_through_the_ledger(defaults: None) -> None:
    signup = sign_up()

    account = Account.objects.select_related("plan").get()
    assert (account.status, account.plan.slug, account.credits) == ("trial", "free", 1000)
    assert (account.name, account.owner) == ("Nora New", signup.user)
    assert (signup.user.role, signup.user.is_staff) == ("owner", False)
    entry = CreditTransaction.objects.get()
    assert (entry.transaction_type, entry.amount, entry.balance_after) == ("trial", 1000, 1000)
    assert not Subscription.objects.exists()
    assert not Invoice.objects.exists()
    assert set(Event.objects.values_list("type", "actor_id")) == {
        ("account.created", signup.user.pk),
        ("credits.granted", signup.user.pk),
    }


@pytest.mark.parametrize(
    ("country", "tax_id"),
    [("DE", "DE136695976"), ("FR", "FR 40 303 265 045"), ("GB", "GB980780684"), ("PK", "1234567-8"),
     ("US", "12-3456789"),
     ("IN", "27AAPFU0939F1ZV"), ("DE", "21/815/08150"), ("", "whatever they call it"), ("AE", "")],
)  # fmt: skip
def test_nobody_is_kept_out_by_a_tax_number_of_a_kind_that_we_do_not_know(
    defaults: None, country: str, tax_id: str
) -> None:
    assert sign_up(billing={"billing_country": country, "tax_id": tax_id}).account.tax_id == tax_id


def test_a_wrong_vat_number_makes_no_account(defaults: None) -> None:
    before = fingerprint()

    with pytest.raises(InvalidInput) as caught:
        sign_up(billing={"billing_country": "GB", "tax_id": "GB802311781"})

    assert list(caught.value.errors or {}) == ["tax_id"]
    assert fingerprint() == before


@pytest.mark.parametrize("slug", ["", "free"])
def test_the_free_plan_by_name_is_a_trial_too(defaults: None, slug: str) -> None:
    assert sign_up(plan_slug=slug).account.status == "trial"


@pytest.mark.parametrize(("slug", "total"), [("starter", "89"), ("growth", "139"), ("scale", "229")])
def test_a_paid_plan_waits_for_payment(defaults: None, slug: str, total: str) -> None:
    billing = {"billing_country": "PK", "billing_city": "Karachi", "billing_email": "billing@test.com"}

    signup = sign_up(plan_slug=slug, payment_method="bank_transfer", account_name="Shop", billing=billing)

    assert signup.subscription
    assert signup.invoice
    account = Account.objects.get()
    assert (account.name, account.status, account.credits) == ("Shop", "pending_payment", 0)
    assert (account.billing_city, account.billing_email) == ("Karachi", "billing@test.com")
    assert (signup.subscription.status, signup.subscription.plan.slug) == ("pending_payment", slug)
    assert (signup.invoice.status, signup.invoice.total) == ("pending", Decimal(total))
    assert signup.invoice.metadata["billing_snapshot"]["city"] == "Karachi"
    assert (signup.invoice.due_date - signup.invoice.invoice_date).days == 7
    assert AccountPaymentMethod.objects.get().is_default
    assert not CreditTransaction.objects.exists()


@pytest.mark.parametrize(
    ("country", "given", "chosen"),
    [
        ("", "", "bank_transfer"), ("PK", "", "bank_transfer"), ("PK", "local_wallet", "local_wallet"),
        ("FR", "", "bank_transfer"), ("KE", "local_wallet", "local_wallet"),
    ],
)  # fmt: skip
def test_who_names_no_method_gets_the_first_one_available(
    defaults: None, country: str, given: str, chosen: str
) -> None:
    signup = sign_up(plan_slug="starter", payment_method=given, billing={"billing_country": country})

    assert signup.subscription
    assert signup.subscription.payment_method == chosen


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"plan_slug": "internal"}, errors.PlanNotOffered),
        ({"plan_slug": "none"}, errors.PlanNotOffered),
        ({"plan_slug": "STARTER"}, errors.PlanNotOffered),
        ({"plan_slug": "starter", "payment_method": "stripe"}, errors.GatewayNotConfigured),
        ({"plan_slug": "starter", "payment_method": "local_wallet"}, errors.PaymentMethodNotAvailable),
        ({"plan_slug": "starter", "payment_method": "manual"}, errors.PaymentMethodNotAvailable),
        ({"password": "short"}, DomainError),
        ({"password": "password1234"}, DomainError),
        ({"email": "taken@example.com"}, DomainError),
        ({"email": "TAKEN@example.com", "plan_slug": "starter"}, DomainError),
    ],
)
def test_a_refused_signup_leaves_nothing(defaults: None, fields: dict[str, Any], error: type[DomainError]) -> None:
    make.owner(email="taken@example.com")
    before = fingerprint()

    with pytest.raises(error):
        sign_up(**fields)

    assert fingerprint() == before


def test_a_signup_that_fails_at_its_last_step_leaves_nothing(defaults: None, monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint()

    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(SubscriptionService, "create_subscription", fail)
    with pytest.raises(RuntimeError):
        sign_up(plan_slug="starter")

    assert fingerprint() == before


def test_without_any_method_in_the_country_no_paid_signup(defaults: None) -> None:
    PaymentMethodConfig.objects.filter(payment_method="bank_transfer").update(is_enabled=False)

    with pytest.raises(errors.PaymentMethodNotAvailable):
        sign_up(plan_slug="starter", billing={"billing_country": "FR"})
    assert not User.objects.exists()


# --- Default data -------------------------------------------------------------------------------------------------


def test_the_default_data_are_the_documented_figures(defaults: None) -> None:
    plans = Plan.objects.order_by("sort_order").values_list(
        "slug", "price", "included_credits", "max_sites", "max_users", "is_public"
    )
    assert list(plans)[:4] == [
        ("free", Decimal(0), 1000, 1, 1, True),
        ("starter", Decimal(89), 1000, 1, 2, True),
        ("growth", Decimal(139), 2000, 3, 5, True),
        ("scale", Decimal(229), 4000, 10, 20, True),
    ]
    assert Plan.objects.get(slug="internal").is_public is False
    assert Plan.objects.count() == 5
    packages = CreditPackage.objects.order_by("sort_order")
    assert [(package.slug, package.credits, str(package.final_price)) for package in packages] == [
        ("starter", 500, "9.00"), ("pro", 2000, "26.10"), ("business", 5000, "58.65"), ("enterprise", 20000, "199.20"),
    ]  # fmt: skip
    assert PaymentMethodConfig.objects.count() == 14
    countries = PaymentMethodConfig.objects.exclude(country_code="*").values_list("country_code", "payment_method")
    assert dict(countries) == {
        **dict.fromkeys(["US", "GB", "DE", "AE", "NG"], "bank_transfer"),
        **dict.fromkeys(["PK", "IN", "BD", "KE", "PH", "ID"], "local_wallet"),
    }
    bank = PaymentMethodConfig.objects.get(country_code="*", payment_method="bank_transfer")
    assert (bank.bank_name, bank.account_number, bank.swift_code) == ("ABC Bank", "1234567890", "ABCPKKA")
    wallet = PaymentMethodConfig.objects.get(country_code="PK")
    assert (wallet.display_name, wallet.wallet_type, wallet.wallet_id) == (
        "JazzCash / Easypaisa", "JazzCash", "03001234567",
    )  # fmt: skip
    assert Industry.objects.count() >= 10
    assert CreditCostConfig.objects.exists()


def test_seeding_again_keeps_what_operators_changed_and_brings_nothing_back(defaults: None) -> None:
    Plan.objects.filter(slug="starter").update(price=Decimal("99"), name="Beginner", is_active=False)
    PaymentMethodConfig.objects.filter(country_code="PK").update(wallet_id="0300", is_enabled=False)
    CreditPackage.objects.filter(slug="pro").update(discount_percentage=50)
    Plan.objects.filter(slug="scale").delete()
    Industry.objects.filter(slug="retail").update(slug="shops")
    CreditCostConfig.objects.filter(operation_type="optimization").delete()
    PaymentMethodConfig.objects.filter(country_code="US").update(country_code="CA")
    before = fingerprint()

    call_command("seed_defaults", verbosity=0)

    assert fingerprint() == before


def test_seeding_leaves_a_row_of_the_same_name_alone_and_makes_the_others(db: None) -> None:
    make.plan("starter", name="Beginner")

    call_command("seed_defaults", verbosity=0)

    assert Plan.objects.get(slug="starter").name == "Beginner"
    assert Plan.objects.count() == 5


# --- The cached list of payment methods ---------------------------------------------------------------------------


@pytest.fixture
def cached(settings: Any) -> Iterator[APIClient]:
    rendered_lists.checked_at = -math.inf
    settings.PAYMENT_METHOD_LIST_RECHECK_SECONDS = 3600.0
    yield APIClient()
    rendered_lists.checked_at = -math.inf


def names(client: APIClient) -> list[str]:
    return [method["display_name"] for method in client.get("/api/v1/billing/payment-methods/?country=PK").json()]


def change_by_model() -> None:
    config = PaymentMethodConfig.objects.get(country_code="PK")
    config.display_name = "Changed"
    config.save()


def change_by_sql() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE igny8_payment_method_config SET display_name = 'Changed' WHERE country_code = 'PK'")


@pytest.mark.parametrize("change", [change_by_model, change_by_sql])
def test_a_changed_method_shows_after_the_recheck_time(
    defaults: None, cached: APIClient, settings: Any, change: Any
) -> None:
    before = names(cached)
    change()
    assert names(cached) == before, "within the recheck time the cached list is served"

    settings.PAYMENT_METHOD_LIST_RECHECK_SECONDS = 0.0

    assert names(cached) == [*before[:3], "Changed"]


@pytest.mark.parametrize(
    "sql", ["DELETE FROM {0} WHERE country_code = 'PK'", "UPDATE {0} SET is_enabled = false", "TRUNCATE {0}"]
)
def test_a_method_that_is_gone_is_gone_from_the_list(
    defaults: None, cached: APIClient, settings: Any, sql: str
) -> None:
    before = names(cached)
    with connection.cursor() as cursor:
        # A table is not truncated while the foreign keys of new rows wait to be checked.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(sql.format("igny8_payment_method_config"))
    settings.PAYMENT_METHOD_LIST_RECHECK_SECONDS = 0.0

    assert set(names(cached)) < set(before)


def test_a_cached_list_costs_no_query(defaults: None, cached: APIClient, django_assert_num_queries: Any) -> None:
    names(cached)

    with django_assert_num_queries(0):
        names(cached)
