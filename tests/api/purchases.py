"""The routes around paying, saved methods and credits: who may call each, how it is called rightly, what it takes."""

import uuid
from typing import TYPE_CHECKING, Any

from rest_framework.test import APIClient

if TYPE_CHECKING:
    from tests.api.world import World

API = "api/v1/billing/"
INVOICE = "billing/invoices/<int64:invoice_id>/"
METHOD = "billing/payment-methods/<int64:method_id>/"

# Lines of the table in test_matrix.py, with its columns.
MATRIX = """
billing/invoices/<int64:invoice_id>/pdf/              GET                    401 200 200 200 200 404 200 403 403
billing/invoices/<int64:invoice_id>/pdf/              POST,PUT,PATCH,DELETE  401 405 405 405 405 405 405 403 403
billing/invoices/<int64:invoice_id>/pay/              POST                   401 403 403 200 200 404 200 403 403
billing/invoices/<int64:invoice_id>/pay/              GET,PUT,PATCH,DELETE   401 403 403 405 405 405 405 403 403
billing/credit-notes/                                 GET                    401 200 200 200 200 200 200 403 403
billing/credit-notes/                                 POST,PUT,PATCH,DELETE  401 405 405 405 405 405 405 403 403
billing/credit-notes/<int64:credit_note_id>/pdf/      GET                    401 200 200 200 200 404 200 403 403
billing/credit-notes/<int64:credit_note_id>/pdf/      POST,PUT,PATCH,DELETE  401 405 405 405 405 405 405 403 403
billing/payment-methods/mine/                         GET                    401 200 200 200 200 200 200 403 403
billing/payment-methods/mine/                         POST,PUT,PATCH,DELETE  401 405 405 405 405 405 405 403 403
billing/payments/<int64:payment_id>/complete/         POST                   401 403 403 409 409 404 409 403 403
billing/payments/<int64:payment_id>/complete/         GET,PUT,PATCH,DELETE   401 403 403 405 405 405 405 403 403
billing/payment-methods/setup/                        POST                   401 403 403 400 400 400 400 403 403
billing/payment-methods/setup/                        GET,PUT,PATCH,DELETE   401 403 403 405 405 405 405 403 403
billing/payment-methods/add/                          POST                   401 403 403 201 201 201 201 403 403
billing/payment-methods/add/                          GET,PUT,PATCH,DELETE   401 403 403 405 405 405 405 403 403
billing/payment-methods/<int64:method_id>/            DELETE                 401 403 403 200 200 404 200 403 403
billing/payment-methods/<int64:method_id>/            GET,POST,PUT,PATCH     401 403 403 405 405 405 405 403 403
billing/payment-methods/<int64:method_id>/default/    POST                   401 403 403 200 200 404 200 403 403
billing/payment-methods/<int64:method_id>/default/    GET,PUT,PATCH,DELETE   401 403 403 405 405 405 405 403 403
billing/credits/packages/                             GET                    401 200 200 200 200 200 200 403 403
billing/credits/packages/                             POST,PUT,PATCH,DELETE  401 405 405 405 405 405 405 403 403
billing/credits/expiring/                             GET                    401 200 200 200 200 200 200 403 403
billing/credits/expiring/                             POST,PUT,PATCH,DELETE  401 405 405 405 405 405 405 403 403
billing/credits/purchase/                             POST                   401 403 403 201 201 201 403 403 403
billing/credits/purchase/                             GET,PUT,PATCH,DELETE   401 403 403 405 405 405 405 403 403
billing/credits/usage/                                POST                   401 403 201 201 201 400 403 403 403
billing/credits/usage/                                GET,PUT,PATCH,DELETE   401 403 405 405 405 405 405 403 403
billing/credits/usage/batch/                          POST                   401 403 200 200 200 200 403 403 403
billing/credits/usage/batch/                          GET,PUT,PATCH,DELETE   401 403 405 405 405 405 405 403 403
"""

ACCEPTED = {
    ("POST", f"api/v1/{INVOICE}pay/"): "payment_method saved_method save_card return_url",
    ("POST", f"{API}payment-methods/setup/"): "",
    ("POST", f"{API}payment-methods/add/"): "type display_name setup",
    ("POST", f"api/v1/{METHOD}default/"): "",
    ("POST", f"{API}credits/purchase/"): "package payment_method expected_price",
    ("POST", f"{API}credits/usage/"): "operation_type quantity site metadata",
    ("POST", f"{API}credits/usage/batch/"): "operations",
}
WRITABLE = [(method, route, "owner") for method, route in ACCEPTED]
LISTS = [f"{API}credit-notes/", f"{API}payment-methods/mine/", f"{API}credits/packages/"]
READS = [f"{API}credits/expiring/"]
EVERYBODY, MANAGERS = ["viewer", "editor", "admin", "owner", "suspended"], ["admin", "owner", "suspended"]
# Method, route with an id of the tenant, and who may call it for their own account.
OWN_OBJECTS = [
    ("GET", f"api/v1/{INVOICE}pdf/", EVERYBODY),
    ("POST", f"api/v1/{INVOICE}pay/", MANAGERS),
    ("POST", f"{API}payments/<int64:payment_id>/complete/", MANAGERS),
    ("GET", f"{API}credit-notes/<int64:credit_note_id>/pdf/", EVERYBODY),
    ("DELETE", f"api/v1/{METHOD}", MANAGERS),
    ("POST", f"api/v1/{METHOD}default/", MANAGERS),
]
# What an account must have paid for.
GATED = [("POST", f"{API}credits/purchase/"), ("POST", f"{API}credits/usage/"), ("POST", f"{API}credits/usage/batch/")]


class KeyedClient(APIClient):
    """A client that sends a new Idempotency-Key where one is needed and the test says none."""

    def generic(self, method: str, path: str, *args: Any, **extra: Any) -> Any:
        if path == f"/{API}credits/usage/":
            extra.setdefault("HTTP_IDEMPOTENCY_KEY", str(uuid.uuid4()))
        return super().generic(method, path, *args, **extra)


def bodies(world: "World", actor: str) -> dict[tuple[str, str], dict[str, Any]]:
    """What a caller sends who does everything right, by method and route."""
    return {
        ("POST", f"api/v1/{INVOICE}pay/"): {"payment_method": "bank_transfer"},
        ("POST", f"{API}payment-methods/add/"): {"type": "local_wallet", "display_name": "My wallet"},
        ("POST", f"api/v1/{METHOD}default/"): {},
        ("POST", f"{API}credits/purchase/"): {"package": "pro", "payment_method": "bank_transfer"},
        ("POST", f"{API}credits/usage/"): {
            "operation_type": "article",
            "quantity": 2,
            "site": world.tenant(actor).site.pk,
        },
        ("POST", f"{API}credits/usage/batch/"): {
            "operations": [{"key": str(uuid.uuid4()), "operation_type": "article", "quantity": 2}]
        },
    }
