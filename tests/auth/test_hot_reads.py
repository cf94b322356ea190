"""The profile by a prepared statement: to the last letter what the plain query and the serializer give."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.renderers import JSONRenderer

from igny8_core.auth.hot_reads import PROFILE, profile_of
from igny8_core.auth.models import Role, User
from igny8_core.auth.serializers import ProfileOutput, profile
from tests import make, reading

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[True, False], ids=["prepared", "sent whole"], autouse=True)
def either_way(request: pytest.FixtureRequest, settings: Any) -> None:
    settings.DATABASE_PREPARED_STATEMENTS = request.param


def bare() -> User:
    return make.user()


def viewer() -> User:
    return make.user(account=make.account(), role=Role.VIEWER)


def owner_with_everything() -> User:
    plan = make.plan(
        "growth",
        price=Decimal("1.234"),
        currency="KWD",
        features=["„Drei“ Websites", 'a "quote"', "100 %"],
        billing_cycle="annual",
    )
    fields = {
        "plan": plan,
        "status": "trial",
        "trial_ends_at": timezone.now(),
        "billing_email": "books@example.com",
        "billing_address_line1": "1 Straße",
        "billing_address_line2": "2",
        "billing_city": "Köln",
        "billing_state": "NW",
        "billing_postal_code": "50667",
        "billing_country": "DE",
        "tax_id": "DE136695976",
        "timezone": "Europe/Berlin",
        "language": "de",
    }
    names = {"first_name": "Zoë", "last_name": "O'Neill", "language": "ur", "email_verified_at": timezone.now()}
    owner = make.owner(fields, **names)
    make.credits(owner.account, 11)
    return owner


def owner_with_an_address_not_confirmed() -> User:
    return make.owner({"billing_email": "books@example.com", "confirmed_billing_email": "older@example.com"})


PEOPLE = [bare, viewer, make.owner, make.operator, owner_with_everything, owner_with_an_address_not_confirmed]


@pytest.mark.parametrize("read", [reading.with_session, reading.alone])
@pytest.mark.parametrize("kind", PEOPLE)
def test_a_profile_is_what_the_plain_query_gives(kind: Callable[[], User], read: Any) -> None:
    user = kind()

    shown = profile_of(read(PROFILE, user))

    plain = ProfileOutput(profile(User.objects.select_related("account__plan").get(pk=user.pk))).data
    assert JSONRenderer().render(shown) == JSONRenderer().render(plain)
    assert json.loads(JSONRenderer().render(shown))["user"]["email"] == user.email
