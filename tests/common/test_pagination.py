"""Lists come in pages of bounded size, and only by parameters that the view declares."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import models
from django.http import QueryDict
from django.test import Client
from django.urls import path
from rest_framework import serializers

from igny8_core.common.api.permissions import PublicEndpoint
from igny8_core.common.api.query import choice_filter, date_filter, ordered, search_filter
from igny8_core.common.api.views import ListViewSet
from igny8_core.common.models import RateCounter

pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]

START = datetime(2026, 1, 1, tzinfo=UTC)


class Key(models.TextChoices):
    EVEN = "even"
    ODD = "odd"


class CounterOutput(serializers.Serializer):
    count = serializers.IntegerField()


class Counters(ListViewSet):
    authentication_classes = ()
    permission_classes = (PublicEndpoint,)
    serializer_class = CounterOutput
    filters = {
        "key": choice_filter("key", Key),
        "from": date_filter("window_start__date__gte"),
        "to": date_filter("window_start__date__lt"),
        "search": search_filter("key__icontains"),
    }
    orderings = {"size": "count", "key": "key"}
    default_ordering = "size"

    def rows(self):
        return RateCounter.objects.all()


urlpatterns = [path("api/counters/", Counters.as_view({"get": "list"}))]


@pytest.fixture(autouse=True)
def counters():
    RateCounter.objects.bulk_create(
        RateCounter(key="odd" if n % 2 else "even", count=n, window_start=START + timedelta(days=n))
        for n in range(1, 131)
    )


def get(query=""):
    return Client().get(f"/api/counters/{query}")


def counts(query):
    answer = get(query)
    assert answer.status_code == 200, answer.content
    return [row["count"] for row in answer.json()["data"]]


def test_the_first_page_has_25_rows_and_a_link_to_the_next():
    assert get().json() == {
        "success": True,
        "data": [{"count": n} for n in range(1, 26)],
        "count": 130,
        "next": "http://testserver/api/counters/?page=2",
        "previous": None,
    }


def test_the_last_page_links_back_and_keeps_the_query():
    body = get("?page=2&page_size=100&ordering=-size").json()

    assert [row["count"] for row in body["data"]] == list(range(30, 0, -1))
    assert body["next"] is None
    assert body["previous"] == "http://testserver/api/counters/?ordering=-size&page_size=100"


@pytest.mark.parametrize("page", ["7", "1000000000", "1" + "0" * 29, "9" * 30])
def test_a_page_past_the_end_is_404(page):
    assert get(f"?page={page}").status_code == 404


BAD_NUMBERS = [
    "0",
    "00",
    "-1",
    "+1",
    "1.0",
    "1e1",
    "",
    "a",
    "last",
    "٥",
    "５",
    "²",
    "1_0",
    "0x1",
    " 1",
    "1\n",
    "9" * 31,
    "9" * 5000,
]


@pytest.mark.parametrize("number", BAD_NUMBERS, ids=lambda text: ascii(text)[:12])
@pytest.mark.parametrize("name", ["page", "page_size"])
def test_other_numbers_are_400(name, number):
    answer = Client().get("/api/counters/", {name: number})

    assert answer.status_code == 400
    assert name in answer.json()["errors"]


@pytest.mark.parametrize("size", ["101", "1000000000", "9" * 30])
def test_more_than_a_hundred_rows_are_refused(size):
    answer = get(f"?page_size={size}")

    assert answer.status_code == 400
    assert answer.json()["errors"] == {"page_size": ["Ask for at most 100 rows."]}


def test_an_empty_list_has_one_empty_page():
    RateCounter.objects.all().delete()

    assert get().json() == {"success": True, "data": [], "count": 0, "next": None, "previous": None}


def test_a_page_costs_two_queries(django_assert_num_queries):
    with django_assert_num_queries(2):
        get("?page_size=100&page=1")
    with django_assert_num_queries(2):
        get("?page_size=100&page=2")


@pytest.fixture
def many():
    RateCounter.objects.bulk_create(
        RateCounter(key=f"{n:06}", count=n, window_start=START) for n in range(1_000, 12_002)
    )


def test_a_long_list_is_counted_to_its_bound_only(many):
    assert get("?ordering=-size").json()["count"] == 10_001
    assert get("?ordering=-size&page=101&page_size=100").json()["count"] == 10_001
    assert get("?key=odd").json()["count"] == 65


def test_deep_pages_have_the_right_rows_in_the_right_order(many):
    assert counts("?ordering=-size&page=50&page_size=100") == list(range(12_001 - 4_900, 12_001 - 5_000, -1))
    last = get("?ordering=-size&page=112&page_size=100").json()
    assert (len(last["data"]), last["next"]) == (32, None)
    assert last["previous"].endswith("?ordering=-size&page=111&page_size=100")
    assert get("?ordering=-size&page=113&page_size=100").status_code == 404


@pytest.mark.parametrize("page", [100, 101])
def test_the_pages_around_the_end_of_counting_join(many, page):
    first = 12_001 - (page - 1) * 100
    assert counts(f"?ordering=-size&page={page}&page_size=100") == list(range(first, first - 100, -1))
    assert get(f"?ordering=-size&page={page}&page_size=100").json()["next"]


def test_pages_end_at_a_documented_row(many):
    answer = get("?page=1001&page_size=100")

    assert answer.status_code == 400
    assert answer.json()["errors"] == {"page": ["Pages end at row 100000. Use filters to make the list shorter."]}


def test_filters_narrow_the_list():
    assert counts("?key=odd&page_size=3") == [1, 3, 5]
    assert counts("?from=2026-01-03&to=2026-01-05") == [2, 3]
    assert counts("?search=VEN&page_size=2") == [2, 4]


def test_ordering_is_by_public_names_in_both_directions():
    assert counts("?ordering=-size&page_size=2") == [130, 129]
    assert counts("?ordering=key&page_size=2") == [2, 4]


@pytest.mark.parametrize(("wanted", "first"), [("key", [2, 4]), ("-size", [130, 129]), ("-made", [130, 129])])
def test_what_a_search_has_picked_comes_in_the_order_that_was_asked_for(wanted, first):
    orderings = {**Counters.orderings, "made": "id"}

    rows = ordered(RateCounter.objects.all(), QueryDict(f"ordering={wanted}"), orderings, "size", picked=True)

    assert [row.count for row in rows[:2]] == first


@pytest.mark.parametrize(
    "query", ["?key=other", "?from=2026-02-30", "?from=1.1.2026", "?to=٢٠٢٦-٠١-٠١", "?search=", "?search=%E2%80%AE"]
)
def test_a_filter_refuses_what_it_does_not_take(query):
    answer = get(query)

    assert answer.status_code == 400
    assert len(answer.json()["errors"]) == 1


@pytest.mark.parametrize("ordering", ["count", "id", "-", "--size", "", "size,key", "key__contains", "?", "pk", "Size"])
def test_an_ordering_outside_the_list_is_400(ordering):
    answer = Client().get("/api/counters/", {"ordering": ordering})

    assert answer.status_code == 400
    assert "key, size" in answer.json()["message"]


@pytest.mark.parametrize(
    "name", ["key__startswith", "id", "id__gt", "_connector", "_negated", "format", "limit", "count__gte", "Key"]
)
def test_an_unknown_parameter_is_400_and_the_known_ones_are_named(name):
    answer = Client().get("/api/counters/", {name: "1"})

    assert answer.status_code == 400
    assert answer.json()["errors"][name] == [
        "Unknown query parameter. Known here: from, key, ordering, page, page_size, search, to."
    ]


def test_a_repeated_parameter_is_400():
    assert get("?page=1&page=2").json()["errors"] == {
        "page": ["This query parameter is given more than once. Give it once."]
    }
