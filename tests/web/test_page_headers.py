"""What the payment page tells browsers: where scripts may come from, where forms may lead, that nobody keeps it."""

import re
from pathlib import Path
from typing import Any

import pytest
from csp.utils import build_policy
from django.http import HttpResponse
from rest_framework.test import APIClient

import igny8_core.web
from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.business.billing.gateways.paypal.settings import PAYPAL_APIS, PayPalSettings
from tests.web.conftest import Customer

pytestmark = pytest.mark.django_db

ORIGIN = re.compile(r"https?://[\w.*-]+(?::\d+)?")


def policy_of(response: HttpResponse) -> dict[str, list[str]]:
    directives = response.headers["Content-Security-Policy"].split(";")
    return {name: sources for name, *sources in (directive.split() for directive in directives)}


def origins_in(html: str) -> set[str]:
    """Every other site that the page names as a source or target."""
    return set(ORIGIN.findall(" ".join(re.findall(r'(?:src|href|action)="([^"]*)"', html))))


def test_the_page_loads_nothing_from_anywhere_else(customer: Customer, both: tuple[FakeStripe, FakePayPal]) -> None:
    for query in ("", "?payment_intent=pi_1"):
        response = customer.opens(query)
        policy = policy_of(response)
        assert policy["default-src"] == ["'none'"]
        assert policy["script-src"] == policy["style-src"] == ["'self'"]
        assert policy["frame-ancestors"] == ["'none'"]
        assert "frame-src" not in policy
        assert origins_in(response.content.decode()) == set()


def test_the_card_form_lets_stripe_in_and_nobody_else(customer: Customer, stripe: FakeStripe) -> None:
    response = customer.clicks("card")
    policy = policy_of(response)

    assert policy["script-src"] == ["'self'", "https://js.stripe.com", "https://*.js.stripe.com"]
    assert policy["frame-src"] == ["https://js.stripe.com", "https://*.js.stripe.com", "https://hooks.stripe.com"]
    assert policy["connect-src"] == ["'self'", "https://api.stripe.com"]
    assert policy["style-src"] == ["'self'"]
    assert policy["default-src"] == ["'none'"]
    assert origins_in(response.content.decode()) == {"https://js.stripe.com"}


def test_no_page_has_a_script_or_a_style_of_its_own(customer: Customer, stripe: FakeStripe) -> None:
    for response in (customer.opens(), customer.opens("?payment_intent=x"), customer.clicks("card")):
        html = response.content.decode()
        assert re.findall(r"<script[^>]*>", html) == re.findall(r"<script[^>]* src=[^>]*>", html)
        assert not re.search(r"<script[^>]*>[^<]", html)
        assert not re.search(r"<style|\sstyle=|\son\w+=", html)


def test_forms_lead_to_ourselves_and_to_paypal_only(customer: Customer, settings: Any) -> None:
    pages = {}
    for mode, api in PAYPAL_APIS.items():
        settings.PAYPAL = PayPalSettings("id", "secret", "", live=mode == "live", api_base=api)
        pages[mode] = policy_of(customer.opens())["form-action"]

    assert pages == {
        "sandbox": ["'self'", "https://www.sandbox.paypal.com"],
        "live": ["'self'", "https://www.paypal.com"],
    }


def test_forms_may_lead_to_stand_ins_where_there_are_any(
    customer: Customer, stripe_page: FakeStripe, paypal: FakePayPal, settings: Any
) -> None:
    targets = policy_of(customer.opens())["form-action"]

    assert targets == ["'self'", settings.PAYPAL.api_base, settings.STRIPE.api_base]


def test_nobody_keeps_the_page_or_lists_it_or_learns_its_address(customer: Customer, stripe: FakeStripe) -> None:
    answers = [
        customer.opens(),
        customer.clicks("card"),
        customer.clicks("complete"),
        customer.browser.get("/pay/forged/"),
    ]

    for response in answers:
        assert response["Cache-Control"] == "no-store"
        assert response["X-Robots-Tag"] == "noindex, nofollow"
        assert response["Referrer-Policy"] == "same-origin"
        assert response["X-Frame-Options"] == "DENY"
        assert response["X-Content-Type-Options"] == "nosniff"


def test_the_key_in_the_address_is_not_logged(
    customer: Customer, stripe: FakeStripe, caplog: pytest.LogCaptureFixture
) -> None:
    stripe.refuse_next_connections(20)
    token = customer.page.split("/")[2]

    customer.opens()
    assert customer.clicks("card").status_code == 503

    assert token not in caplog.text


def test_our_scripts_ask_nobody_but_stripe_s_own() -> None:
    scripts = list((Path(igny8_core.web.__file__).parent / "static" / "web" / "pay").glob("*.js"))

    assert len(scripts) == 6
    for script in scripts:
        assert not re.search(r"innerHTML|eval\(|https?://", script.read_text(encoding="utf-8"))


def test_the_policy_made_once_is_the_one_that_the_library_makes(api: APIClient) -> None:
    answers = [api.get(path) for path in ("/healthz/", "/api/v1/auth/me/", "/healthz/")]

    assert {answer.headers["Content-Security-Policy"] for answer in answers} == {build_policy()}
