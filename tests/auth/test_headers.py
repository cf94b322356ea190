"""What every answer tells a browser (AUT-19, AUT-21)."""

import os
from itertools import cycle

import pytest
from django.test import Client

from igny8_core.auth.models import User
from igny8_core.auth.services.sessions import open_session
from igny8_core.common.checks import api_routes
from tests import warm_python

pytestmark = pytest.mark.django_db

PAGES = ["/", "/admin/", "/admin", "/admin/login/", "/pay/forged/", "/healthz/", "/readyz/", "/nothing/", "/api/docs/"]


def api_addresses() -> list[str]:
    addresses = []
    for route, _ in api_routes():
        path = route.replace("<path:address>", "v1/nothing/")
        for slot in ("site_id", "invoice_id", "payment_id"):
            path = path.replace(f"<int64:{slot}>", "12")
        addresses.append(f"/{path}")
    return addresses


def require_safe_headers(address: str, response: object) -> None:
    headers = response.headers  # type: ignore[attr-defined]
    policy = headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy, address
    assert "default-src 'none'" in policy, address
    # The console's scripts need more, and only the console (igny8_core/admin/csp.py).
    assert "unsafe" not in policy or "/admin" in address, address
    assert headers["X-Frame-Options"] == "DENY", address
    assert headers["X-Content-Type-Options"] == "nosniff", address
    assert headers["Referrer-Policy"] == "same-origin", address
    assert headers["X-Request-ID"], address
    assert "X-Powered-By" not in headers, address
    assert "Server" not in headers, address


def test_every_answer_has_the_safe_headers_errors_too(alice: User) -> None:
    """Of each address: what is there, and one of the answers to others and to other methods, in turn."""
    client = Client(raise_request_exception=False)
    token = {"HTTP_AUTHORIZATION": f"Bearer {open_session(alice).access}"}
    others = cycle([("GET", {}), ("POST", token), ("OPTIONS", {}), ("POST", {})])

    for address in [*api_addresses(), *PAGES]:
        for method, extra in (("GET", token), next(others)):
            response = client.generic(method, address, "{}", content_type="application/json", **extra)
            require_safe_headers(f"{method} {address}", response)
            if address.startswith("/api/") and not (address == "/api/schema/" and response.status_code == 200):
                assert response["Cache-Control"] == "no-store", address


@pytest.mark.parametrize(
    ("extra", "status"),
    [
        ({"CONTENT_LENGTH": "99999999"}, 413),
        ({"CONTENT_LENGTH": "abc"}, 400),
        ({"QUERY_STRING": "x=%00"}, 400),
        ({"HTTP_HOST": "evil.example.com"}, 400),
        ({"HTTP_ACCEPT": "text/csv"}, 406),
    ],
)
def test_a_request_that_no_view_sees_has_them_too(extra: dict[str, str], status: int) -> None:
    response = Client(raise_request_exception=False).post(
        "/api/v1/auth/login/", "{}", content_type="application/json", **extra
    )

    assert response.status_code == status
    require_safe_headers(str(extra), response)


ORIGINS = ["https://evil.example.com", "null", "https://localhost", "http://localhost:8011", "https://example.com.evil"]


def test_no_other_origin_is_let_in(alice: User) -> None:
    """One of them at each address, in turn: with a request, and with the question whether it may come."""
    turn = cycle(ORIGINS)
    client = Client(raise_request_exception=False)
    token = {"HTTP_AUTHORIZATION": f"Bearer {open_session(alice).access}"}
    preflight = {"HTTP_ACCESS_CONTROL_REQUEST_METHOD": "POST", "HTTP_ACCESS_CONTROL_REQUEST_HEADERS": "authorization"}

    for address in api_addresses():
        for method, extra in [("GET", token), ("OPTIONS", preflight)]:
            response = client.generic(method, address, "", HTTP_ORIGIN=next(turn), **extra)
            allowed = [name for name in response.headers if name.lower().startswith("access-control-")]
            assert allowed == [], address


PRODUCTION = {
    "DJANGO_DEBUG": "off",
    "DJANGO_SECRET_KEY": "Zq8-3kLmN0pQrStUvWxYz_1aBcDeFgHiJkLmNoPqRsTuVwXyZ42",
    "DJANGO_ALLOWED_HOSTS": "app.example.com",
    "BASE_URL": "https://app.example.com",
    "EMAIL_URL": "smtp://mail.example.com:587?tls=1",
    "DEFAULT_FROM_EMAIL": "billing@example.com",
}


def test_production_answers_over_https_only_and_says_so_for_a_year() -> None:
    script = (
        "from django.conf import settings as s; "
        "assert s.SECURE_HSTS_SECONDS >= 31536000 and s.SECURE_HSTS_INCLUDE_SUBDOMAINS and s.SECURE_SSL_REDIRECT; "
        "assert s.SESSION_COOKIE_SECURE and s.CSRF_COOKIE_SECURE and s.SESSION_COOKIE_HTTPONLY and not s.DEBUG; "
        # Browsers take a __Host- cookie only where it is secure, for this host alone and all of its paths.
        "names = [s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.PAGE_SESSION_COOKIE_NAME]; "
        "assert len(set(names)) == 3 and all(name.startswith('__Host-') for name in names); "
        "assert (s.SESSION_COOKIE_DOMAIN, s.CSRF_COOKIE_DOMAIN) == (None, None); "
        "assert (s.SESSION_COOKIE_PATH, s.CSRF_COOKIE_PATH) == ('/', '/'); "
        "import django; django.setup(); from django.http import HttpResponse; "
        "from igny8_core.auth.session_cookie import drop_cookie, put_cookie; answer = HttpResponse(); "
        "put_cookie(answer, 'x'); put = answer.cookies['__Host-session'].OutputString(); "
        "drop_cookie(answer); dropped = answer.cookies['__Host-session'].OutputString(); "
        "assert all('Secure' in c and 'HttpOnly' in c and 'Path=/' in c and 'Domain' not in c for c in (put, dropped))"
    )
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "igny8_core.settings",
        "DATABASE_URL": "postgresql://user@db.example.com/igny8",
        **PRODUCTION,
    }

    done = warm_python.run("-c", script, environment=environment)

    assert done.returncode == 0, done.stderr
