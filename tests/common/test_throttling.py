"""Limits count each caller in the database, say when to come back, and always end."""

import pytest
import time_machine
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, RequestFactory
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.common.api.envelope import success
from igny8_core.common.api.permissions import PublicEndpoint
from igny8_core.common.api.throttling import EmailThrottle, NetworkThrottle
from igny8_core.common.api.views import ApiView
from igny8_core.common.models import RateCounter
from igny8_core.common.network import client_address, client_network
from igny8_core.common.rate_limits import forget_old_windows, parse_rate, seconds_to_wait

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
    "emails", [["alice@example.com"] * 3, ["Alice@example.com", " alice@EXAMPLE.com ", "ALICE@EXAMPLE.COM"]]
)
def test_one_email_address_is_limited_over_all_networks(clock, emails):
    for host, email in enumerate(emails):
        assert login(address=f"203.0.113.{host}", body={"email": email}).status_code == 200

    assert login(address="198.51.100.1", body={"email": "alice@example.com"}).status_code == 429
    assert login(address="198.51.100.1", body={"email": "bob@example.com"}).status_code == 200


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

    assert forget_old_windows() == 2
    assert RateCounter.objects.count() == 2


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
