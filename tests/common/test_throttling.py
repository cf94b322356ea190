"""Limits count each caller in the database, say when to come back, and always end."""

import pytest
import time_machine
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, RequestFactory
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.common import limit_hits
from igny8_core.common.api.envelope import success
from igny8_core.common.api.permissions import PublicEndpoint
from igny8_core.common.api.throttling import EmailThrottle, NetworkThrottle
from igny8_core.common.api.views import ApiView
from igny8_core.common.models import LimitHit, RateCounter
from igny8_core.common.network import client_address, client_network
from igny8_core.common.rate_limits import count, forget_old_windows, give_back, parse_rate, seconds_to_wait

pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]


class PerNetwork(NetworkThrottle):
    scope = "login"


class PerEmail(EmailThrottle):
    scope = "login"


class Login(ApiView):
    authentication_classes = ()
    permission_classes = (PublicEndpoint,)
    throttle_classes = (PerNetwork, PerEmail)

    def post(self, request: Request) -> Response:
        return success()


urlpatterns = [path("api/login/", Login.as_view())]


@pytest.fixture(autouse=True)
def limits(settings):
    settings.THROTTLING = True
    settings.TRUSTED_PROXY_COUNT = 0
    settings.RATE_LIMITS = {"login": ["3/minute", "5/hour"]}
    limit_hits.write()


@pytest.fixture
def clock():
    with time_machine.travel("2026-01-01T12:00:10Z", tick=False) as traveller:
        yield traveller


def login(address="203.0.113.1", body=None, **extra):
    return Client().post("/api/login/", body or {}, content_type="application/json", REMOTE_ADDR=address, **extra)


def statuses(number, **kwargs):
    return [login(**kwargs).status_code for _ in range(number)]


def test_over_the_limit_is_429_with_the_seconds_to_wait(clock):
    assert statuses(3) == [200] * 3

    answer = login()

    assert answer.status_code == 429
    assert answer["Retry-After"] == "50"
    assert answer.json()["message"] == "Too many requests. Try again in 50 seconds."


def test_refused_requests_do_not_prolong_the_wait(clock):
    statuses(60)

    clock.move_to("2026-01-01T12:01:00Z")

    assert statuses(3) == [200, 200, 429]


def test_the_longer_window_ends_too(clock):
    statuses(3)
    clock.move_to("2026-01-01T12:01:00Z")
    statuses(2)

    clock.move_to("2026-01-01T12:59:59Z")
    assert login()["Retry-After"] == "1"
    clock.move_to("2026-01-01T13:00:00Z")
    assert login().status_code == 200


def test_another_network_has_its_own_count(clock):
    statuses(4)

    assert login(address="203.0.113.2").status_code == 200


def test_one_ipv6_customer_is_one_network(clock):
    for host in range(3):
        login(address=f"2001:db8:1:2::{host}")

    assert login(address="2001:db8:1:2:ffff::1").status_code == 429
    assert login(address="2001:db8:1:3::1").status_code == 200


@pytest.mark.parametrize(
    ("pattern", "times"),
    [("203.0.113.{}", 4), ("2001:db8:1:1{:02x}::1", 2), ("2001:db8:2:{:02x}01::1", 4)],
    ids=["IPv4 /24", "IPv6 /56", "IPv6 /48"],
)
def test_many_addresses_of_a_wider_network_have_a_limit_together(clock, pattern, times):
    codes = [login(address=pattern.format(number)).status_code for number in range(16)]

    assert codes == [200] * 3 * times + [429] * (16 - 3 * times)
    assert login(address="198.51.100.1").status_code == 200


def test_what_a_customer_is_refused_uses_up_nothing_of_the_wider_network(clock):
    statuses(60, address="203.0.113.1")

    assert [login(address=f"203.0.113.{number}").status_code for number in range(2, 12)] == [200] * 9 + [429]


@pytest.mark.parametrize("email", ["alice@example.com", " Alice@EXAMPLE.com "])
def test_an_email_address_is_counted_with_its_network(clock, email):
    for _ in range(3):
        login(address="203.0.113.1", body={"email": email})

    assert login(address="203.0.113.1", body={"email": "alice@example.com"}).status_code == 429
    assert login(address="198.51.100.1", body={"email": "alice@example.com"}).status_code == 200


def test_a_request_costs_one_statement_for_each_throttle(clock, django_assert_num_queries):
    with django_assert_num_queries(2):
        login(body={"email": "alice@example.com"})


def test_a_hit_can_be_given_back(clock):
    for _ in range(5):
        give_back(count("login", "alice"))

    assert seconds_to_wait("login", "alice") is None


def test_operators_see_how_often_a_limit_refused(clock):
    before = limit_hits.totals().get("login", 0)
    statuses(8)

    assert limit_hits.totals()["login"] == before + 5
    assert LimitHit.objects.get().hour.minute == 0


def test_old_hits_are_summed_up_so_that_totals_never_fall(clock):
    statuses(8)
    total = limit_hits.totals()["login"]
    clock.move_to("2026-06-01T12:00:00Z")

    assert limit_hits.forget_old_hits() == 1
    assert limit_hits.totals()["login"] == total
    assert limit_hits.forget_old_hits() == 0


@pytest.mark.parametrize("email", [None, 5, [], {}, "x" * 1000])
def test_what_is_no_email_address_is_left_to_the_serializer(email):
    assert login(body={"email": email}).status_code == 200


def test_a_body_that_cannot_be_parsed_is_400():
    assert Client().post("/api/login/", b"{", content_type="application/json").status_code == 400


def test_the_switch_turns_all_limits_off(settings):
    settings.THROTTLING = False

    assert statuses(20) == [200] * 20
    assert not RateCounter.objects.exists()


def test_no_address_is_stored(clock):
    login(body={"email": "alice@example.com"})

    assert all(len(counter.key) == 64 and "alice" not in counter.key for counter in RateCounter.objects.all())


def test_old_windows_are_forgotten_and_running_ones_kept(clock):
    login()
    clock.move_to("2026-01-01T13:30:00Z")
    login()

    assert forget_old_windows() == 4
    assert RateCounter.objects.count() == 4


@pytest.mark.parametrize(
    ("text", "limit", "seconds"),
    [("10/minute", 10, 60), ("1/second", 1, 1), ("60/hour", 60, 3600), ("5/15minutes", 5, 900), ("9/2days", 9, 172800)],
)
def test_rates_are_read(text, limit, seconds):
    rate = parse_rate(text)

    assert (rate.limit, rate.seconds) == (limit, seconds)


@pytest.mark.parametrize("text", ["", "10", "0/minute", "10/week", "10/0minutes", "-1/hour", "1.5/hour", "10 / minute"])
def test_other_rates_are_a_configuration_error(text):
    with pytest.raises(ImproperlyConfigured, match="Examples"):
        parse_rate(text)


def test_a_scope_without_rates_is_a_configuration_error():
    with pytest.raises(ImproperlyConfigured, match="'other'"):
        seconds_to_wait("other", "x")


SPOOFED = [
    {"HTTP_X_FORWARDED_FOR": "198.51.100.7"},
    {"HTTP_X_FORWARDED_FOR": "198.51.100.7, 198.51.100.8"},
    {"HTTP_X_FORWARDED_FOR": ""},
    {"HTTP_X_FORWARDED_FOR": "unknown"},
    {"HTTP_X_FORWARDED_FOR": "2001:db8::1"},
    {"HTTP_X_FORWARDED_FOR": "127.0.0.1\t"},
    {"HTTP_X_REAL_IP": "198.51.100.7"},
    {"HTTP_X_CLIENT_IP": "198.51.100.7"},
    {"HTTP_CLIENT_IP": "198.51.100.7"},
    {"HTTP_X_CLUSTER_CLIENT_IP": "198.51.100.7"},
    {"HTTP_X_ORIGINATING_IP": "198.51.100.7"},
    {"HTTP_X_REMOTE_ADDR": "198.51.100.7"},
    {"HTTP_FORWARDED": "for=198.51.100.7"},
    {"HTTP_CF_CONNECTING_IP": "198.51.100.7"},
    {"HTTP_TRUE_CLIENT_IP": "198.51.100.7"},
    {"HTTP_FASTLY_CLIENT_IP": "198.51.100.7"},
    {"HTTP_REMOTE_ADDR": "198.51.100.7"},
    {"HTTP_X_FORWARDED": "198.51.100.7"},
    {"HTTP_FORWARDED_FOR": "198.51.100.7"},
    {"HTTP_VIA": "198.51.100.7"},
]


@pytest.mark.parametrize("headers", SPOOFED, ids=lambda headers: "".join(headers))
def test_without_trusted_proxies_no_header_changes_the_caller(headers):
    assert client_address(RequestFactory().get("/", REMOTE_ADDR="203.0.113.1", **headers)) == "203.0.113.1"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (1, "198.51.100.7", "198.51.100.7"),
        (1, "1.1.1.1, 198.51.100.7", "198.51.100.7"),
        (2, "1.1.1.1, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        (2, "10.0.0.2", "203.0.113.1"),
        (1, "", "203.0.113.1"),
        (1, "nonsense", "203.0.113.1"),
        (1, "2001:db8::1", "2001:db8::1"),
        (1, "::ffff:198.51.100.7", "198.51.100.7"),
    ],
)
def test_with_trusted_proxies_only_their_own_entries_count(settings, proxies, forwarded, address):
    settings.TRUSTED_PROXY_COUNT = proxies

    assert (
        client_address(RequestFactory().get("/", REMOTE_ADDR="203.0.113.1", HTTP_X_FORWARDED_FOR=forwarded)) == address
    )


@pytest.mark.parametrize("address", ["", "unix:"])
def test_a_socket_without_an_address_is_one_network(address):
    assert client_network(RequestFactory().get("/", REMOTE_ADDR=address)) == "unknown"
