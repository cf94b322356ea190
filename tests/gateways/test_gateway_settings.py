"""Keys of the gateways: off without them, whole or refused, test keys in tests, no stand-in in production."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from igny8_core.business.billing.gateways.paypal.settings import read as paypal_settings
from igny8_core.business.billing.gateways.stripe.settings import read as stripe_settings
from igny8_core.settings import gateways

VARIABLES = (
    "STRIPE_PUBLIC_KEY STRIPE_SECRET_KEY STRIPE_WEBHOOK_SECRET STRIPE_API_BASE "
    "PAYPAL_CLIENT_ID PAYPAL_CLIENT_SECRET PAYPAL_MODE PAYPAL_WEBHOOK_ID PAYPAL_API_BASE"
).split()
STRIPE = {"STRIPE_SECRET_KEY": "sk_test_a", "STRIPE_PUBLIC_KEY": "pk_test_a"}
PAYPAL = {"PAYPAL_CLIENT_ID": "id", "PAYPAL_CLIENT_SECRET": "secret"}
LIVE = {"STRIPE_SECRET_KEY": "sk_live_a", "STRIPE_PUBLIC_KEY": "pk_live_a"}


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def given(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def outside_of_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that runs no tests."""
    monkeypatch.setattr(gateways, "_is_test_run", lambda: False)


def test_without_keys_both_are_off() -> None:
    assert stripe_settings(debug=True) is paypal_settings(debug=True) is None


def test_with_keys_they_are_on_in_test_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, **STRIPE, **PAYPAL, STRIPE_WEBHOOK_SECRET="whsec_new, whsec_old")

    stripe, paypal = stripe_settings(debug=True), paypal_settings(debug=True)

    assert stripe is not None
    assert (stripe.live, stripe.api_base, stripe.is_fake) == (False, "https://api.stripe.com", False)
    assert stripe.webhook_secrets == ("whsec_new", "whsec_old")
    assert paypal is not None
    assert (paypal.live, paypal.api_base) == (False, "https://api-m.sandbox.paypal.com")


def test_no_secret_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, **STRIPE, **PAYPAL, STRIPE_WEBHOOK_SECRET="whsec_hidden")

    printed = f"{stripe_settings(debug=True)} {paypal_settings(debug=True)}"

    assert not [secret for secret in ("sk_test_a", "whsec_hidden", "client_secret") if secret in printed]


@pytest.mark.parametrize(
    "variables",
    [
        {"STRIPE_SECRET_KEY": "sk_test_a"},
        {"STRIPE_PUBLIC_KEY": "pk_test_a"},
        {**STRIPE, "STRIPE_PUBLIC_KEY": "pk_live_a"},
        {**STRIPE, "STRIPE_SECRET_KEY": "pk_test_a"},
        {**STRIPE, "STRIPE_SECRET_KEY": "secret"},
        {**STRIPE, "STRIPE_WEBHOOK_SECRET": "secret"},
        {**STRIPE, "STRIPE_API_BASE": "https://api.example.com"},
        {**STRIPE, "STRIPE_API_BASE": "http://127.0.0.1.example.com"},
    ],
    ids=str,
)
def test_half_or_wrong_keys_of_stripe_stop_the_start_by_name(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    given(monkeypatch, **variables)

    with pytest.raises(ImproperlyConfigured, match="STRIPE_"):
        stripe_settings(debug=True)


@pytest.mark.parametrize(
    "variables",
    [
        {"PAYPAL_CLIENT_ID": "id"},
        {"PAYPAL_CLIENT_SECRET": "secret"},
        {**PAYPAL, "PAYPAL_MODE": "production"},
        {**PAYPAL, "PAYPAL_API_BASE": "http://10.0.0.1:80"},
    ],
    ids=str,
)
def test_half_or_wrong_keys_of_paypal_stop_the_start_by_name(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    given(monkeypatch, **variables)

    with pytest.raises(ImproperlyConfigured, match="PAYPAL_"):
        paypal_settings(debug=True)


def test_live_keys_are_refused_in_tests_and_with_debug(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, **LIVE, **PAYPAL, PAYPAL_MODE="live")

    for read in (stripe_settings, paypal_settings):
        with pytest.raises(ImproperlyConfigured, match="real money"):
            read(debug=False)
    outside_of_tests(monkeypatch)
    for read in (stripe_settings, paypal_settings):
        with pytest.raises(ImproperlyConfigured, match="real money"):
            read(debug=True)


def test_in_production_live_keys_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, **LIVE, **PAYPAL, PAYPAL_MODE="live")
    outside_of_tests(monkeypatch)

    stripe, paypal = stripe_settings(debug=False), paypal_settings(debug=False)

    assert stripe is not None
    assert paypal is not None
    assert (stripe.live, paypal.live, paypal.api_base) == (True, True, "https://api-m.paypal.com")


@pytest.mark.parametrize(("name", "read"), [("STRIPE_API_BASE", stripe_settings), ("PAYPAL_API_BASE", paypal_settings)])
def test_a_stand_in_is_taken_on_this_machine_only_and_never_in_production(
    monkeypatch: pytest.MonkeyPatch, name: str, read: object
) -> None:
    given(monkeypatch, **STRIPE, **PAYPAL, **{name: "http://127.0.0.1:4242/"})

    here = read(debug=True)  # type: ignore[operator]
    with pytest.raises(ImproperlyConfigured, match=name):
        read(debug=False)  # type: ignore[operator]

    assert (here.api_base, here.is_fake) == ("http://127.0.0.1:4242", True)
