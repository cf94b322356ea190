"""What somebody else changed meanwhile is not overwritten: the account's settings, and a member's role."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from igny8_core.auth.models import Role, User
from igny8_core.auth.selectors import settings_version
from igny8_core.events.models import Event
from tests import make

pytestmark = pytest.mark.django_db

SETTINGS = "/api/v1/account/settings/"
AsUser = Callable[[User], APIClient]


def saved(client: APIClient, **changes: str) -> Any:
    return client.patch(SETTINGS, changes, format="json")


@pytest.fixture
def admin(alice: User) -> User:
    return make.user(account=alice.account, role=Role.ADMIN)


def test_settings_are_saved_on_the_version_that_was_read_and_refused_on_an_older_one(
    alice: User, admin: User, as_user: AsUser
) -> None:
    mine, theirs = as_user(alice), as_user(admin)
    read = mine.get(SETTINGS).json()["data"]
    assert read["owner"] == {"id": alice.pk, "email": alice.email, "full_name": alice.full_name}

    first = saved(theirs, billing_city="Lahore", version=read["version"]).json()["data"]
    refused = saved(mine, name="Mine", version=read["version"])

    assert (refused.status_code, refused.json()["code"]) == (409, "settings_changed")
    assert alice.account
    alice.account.refresh_from_db()
    assert (alice.account.billing_city, alice.account.name) == ("Lahore", read["name"])
    assert first["version"] == mine.get(SETTINGS).json()["data"]["version"] != read["version"]
    assert saved(mine, name="Mine", version=first["version"]).status_code == 200
    assert Event.objects.filter(type="account.updated").count() == 2


def test_without_a_version_the_last_word_holds(alice: User, as_user: AsUser) -> None:
    assert saved(as_user(alice), name="Mine").status_code == 200


def test_each_setting_has_its_part_in_the_version(alice: User, as_user: AsUser) -> None:
    account, client = alice.account, as_user(alice)
    assert account
    changes = {
        "name": "Another",
        "timezone": "Asia/Karachi",
        "language": "ur",
        "billing_email": "books@example.com",
        "billing_address_line1": "1 Mall Road",
        "billing_address_line2": "Floor 2",
        "billing_city": "Lahore",
        "billing_state": "Punjab",
        "billing_postal_code": "54000",
        "billing_country": "PK",
        "tax_id": "1234567-8",
    }
    versions = {settings_version(account)}
    for name, value in changes.items():
        assert saved(client, **{name: value}).status_code == 200, name
        account.refresh_from_db()
        versions.add(settings_version(account))

    assert len(versions) == len(changes) + 1


def test_a_role_is_given_to_who_has_the_role_that_was_seen(alice: User, bob: User, as_user: AsUser) -> None:
    client, address = as_user(alice), f"/api/v1/account/team/{bob.pk}/role/"
    assert bob.role == Role.VIEWER

    first = client.patch(address, {"role": "editor", "present_role": "viewer"}, format="json")
    refused = client.patch(address, {"role": "admin", "present_role": "viewer"}, format="json")

    assert first.status_code == 200
    assert (refused.status_code, refused.json()["code"]) == (409, "role_changed")
    bob.refresh_from_db()
    assert bob.role == Role.EDITOR
