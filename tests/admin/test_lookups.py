"""Lists are filtered by what their filters offer: nobody guesses at what a list does not show (AUT-33)."""

import pytest
from django.contrib import admin
from django.db import models
from django.test import Client, RequestFactory
from django.urls import reverse

from igny8_core.auth.models import LoginSession, User
from tests import make
from tests.admin.test_every_page import REGISTERED, address, label
from tests.cases import some_of

pytestmark = pytest.mark.django_db

SECRETS = [
    ("igny8_auth.loginsession", "current_token__startswith"),
    ("igny8_auth.loginsession", "user__password__startswith"),
    ("igny8_auth.loginsession", "device__contains"),
    ("igny8_auth.teaminvitation", "token_hash__startswith"),
    ("igny8_auth.teaminvitation", "invited_by__password__regex"),
    ("igny8_auth.user", "password__startswith"),
    ("igny8_auth.user", "login_sessions__current_token__startswith"),
    ("igny8_auth.user", "account__stripe_customer_id__gt"),
    ("igny8_auth.secondfactor", "secret__startswith"),
    ("igny8_auth.recoverycode", "digest__startswith"),
    ("billing.payment", "metadata__icontains"),
    ("billing.payment", "status__in"),
    ("billing.webhookevent", "body__contains"),
    ("billing.accountpaymentmethod", "gateway_method_id__startswith"),
]


@pytest.mark.parametrize(("model", "lookup"), SECRETS)
def test_no_address_asks_what_no_filter_offers(console: Client, model: str, lookup: str) -> None:
    page = reverse(f"admin:{model.replace('.', '_')}_changelist")

    assert console.get(page, {lookup: "a"}).status_code == 400


def columns(model: type[models.Model]) -> list[str]:
    """Every column, and every column one relation away, with a lookup that answers a guess."""
    direct = [field.name for field in model._meta.get_fields() if field.concrete]
    related = [
        f"{field.name}__{other.name}"
        for field in model._meta.get_fields()
        if field.is_relation and field.related_model and isinstance(field.related_model, type)
        for other in field.related_model._meta.get_fields()
        if other.concrete
    ]
    return [f"{path}__{ending}" for path in (*direct, *related) for ending in ("startswith", "regex", "gt", "in")]


@pytest.mark.parametrize("model", REGISTERED, ids=label)
def test_no_list_answers_guesses_at_its_columns(model: type[models.Model]) -> None:
    pages, request = admin.site._registry[model], RequestFactory().get("/")
    request.user = User(is_staff=True, is_superuser=True, is_active=True)

    assert [lookup for lookup in columns(model) if pages.lookup_allowed(lookup, "a", request)] == []


@pytest.mark.parametrize("model", some_of(REGISTERED, each=6), ids=label)
def test_every_filter_of_every_list_reads_what_it_sends(console: Client, model: type[models.Model]) -> None:
    pages = admin.site._registry[model]
    page = console.get(address(model, "changelist"))
    sent = {name for spec in page.context["cl"].filter_specs for name in spec.expected_parameters()}

    assert page.context["cl"].has_filters == bool(sent)
    assert [name for name in sent if not pages.lookup_allowed(name, "1", page.wsgi_request)] == []


def test_a_filter_still_filters(console: Client) -> None:
    mine, other = make.owner(), make.owner()
    LoginSession.objects.create(user=mine, current_token="a", expires_at=mine.date_joined)
    LoginSession.objects.create(user=other, current_token="b", expires_at=mine.date_joined)

    page = console.get(address(LoginSession, "changelist"), {"user__id__exact": mine.pk})

    assert [row.user for row in page.context["cl"].result_list] == [mine]
