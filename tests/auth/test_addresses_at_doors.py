"""No door takes an address that is none: quotes, [10.0.0.5], and where erased people are."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, User
from tests import make
from tests.admin.test_both_doors import as_sent, page_of

pytestmark = pytest.mark.django_db

Login = Callable[[User], APIClient]
REFUSED = ["x@[10.0.0.5]", '"a"@example.com', "x@10.0.0.55", "deleted-1@deleted.invalid"]
PERSON = {
    "first_name": "Eve", "last_name": "Adams", "password": make.PASSWORD, "password_confirm": make.PASSWORD,
}  # fmt: skip


@pytest.mark.parametrize("email", REFUSED)
def test_the_api_and_the_pages_refuse_it(alice: User, as_user: Login, client: Client, email: str) -> None:
    api, owner = APIClient(), as_user(alice)
    doors: list[Any] = [
        api.post("/api/v1/auth/register/", {**PERSON, "email": email}, format="json"),
        api.post("/api/v1/auth/login/", {"email": email, "password": "x"}, format="json"),
        api.post("/api/v1/auth/password/reset/", {"email": email}, format="json"),
        owner.post("/api/v1/account/team/invite/", {"email": email, "role": "viewer"}, format="json"),
        owner.patch("/api/v1/account/settings/", {"billing_email": email}, format="json"),
        client.post("/signup", {**PERSON, "email": email, "plan_slug": "free"}),
        client.post("/login", {"email": email, "password": "x"}),
        client.post("/forgotten-password", {"email": email}),
    ]

    assert [door.status_code for door in doors] == [400] * len(doors)
    assert all("An e-mail address in plain ASCII is expected" in door.content.decode() for door in doors)


def test_the_console_and_the_command_refuse_it(console: Client, account_a: Account, bob: User) -> None:
    forms = [
        (row, field, as_sent(page_of(console, row))) for row, field in ((account_a, "billing_email"), (bob, "email"))
    ]
    for email in REFUSED:
        for row, field, form in forms:
            address = f"/admin/igny8_auth/{row._meta.model_name}/{row.pk}/change/"
            assert console.post(address, {**form, field: email}).status_code == 200
        new = {"email": email, "first_name": "N", "last_name": "O", "is_active": "on", "is_staff": "on"}
        console.post("/admin/igny8_auth/user/add/", new)
        with pytest.raises(CommandError):
            call_command("createsuperuser", "--no-input", "--email", email, stdout=StringIO())

    assert not User.objects.filter(email__in=REFUSED).exists()
    assert not Account.objects.filter(billing_email__in=REFUSED).exists()
