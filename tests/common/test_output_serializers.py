"""Fields of answers are made once per process, and write what DRF's own copies would."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework import serializers

from igny8_core import urls
from igny8_core.auth.models import User
from igny8_core.auth.serializers import ProfileOutput, UserOutput
from igny8_core.business.billing.serializers import InvoiceOutput
from igny8_core.common.api.serializers import OutputSerializer
from tests import make

assert urls  # all views, and with them all serializers, are loaded


def kinds(root: type[OutputSerializer] = OutputSerializer) -> list[type[OutputSerializer]]:
    return [found for kind in root.__subclasses__() for found in [kind, *kinds(kind)]]


def plain(serializer: OutputSerializer, instance: Any) -> Any:
    """What the serializer writes with fields of its own, as DRF makes them."""
    serializer.__dict__["fields"] = serializers.Serializer.fields.func(serializer)
    return serializer.to_representation(instance)


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_fields_are_made_once(kind: type[OutputSerializer]) -> None:
    first, second = kind(), kind()

    assert first.fields is second.fields
    assert list(first.fields) == list(kind._declared_fields)


def test_there_are_many_serializers_of_answers() -> None:
    assert len(kinds()) > 40


@pytest.mark.django_db
def test_an_answer_is_written_as_with_fields_of_its_own(alice: User) -> None:
    invoice = make.invoice(alice.account)
    samples = [
        (ProfileOutput, {"user": alice, "account": alice.account}),
        (UserOutput, alice),
        (InvoiceOutput, invoice),
    ]

    for kind, sample in samples:
        assert kind(sample).data == plain(kind(), sample)
        assert kind([sample, sample], many=True).data == [plain(kind(), sample)] * 2


@pytest.mark.django_db
def test_an_answer_asks_the_database_nothing_that_it_was_given(alice: User) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert ProfileOutput({"user": alice, "account": alice.account}).data["user"]["email"] == alice.email

    assert len(queries) == 0
