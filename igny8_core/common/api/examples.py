"""Example values for the API's description, made from its schemas."""

from typing import Any

# What people would write in a field of this name, where the schema alone tells too little.
BY_NAME: dict[str, Any] = {
    "account_name": "Ayesha's Studio",
    "account_number": "1234567890",
    "approve_url": "https://www.paypal.com/checkoutnow?token=5O190127TN364715T",
    "admin_notes": "Seen on the bank statement",
    "amount": "89.00",
    "bank_name": "ABC Bank",
    "billing_address_line1": "12 Canal Road",
    "billing_address_line2": "Floor 3",
    "billing_city": "Lahore",
    "billing_country": "PK",
    "billing_email": "accounts@example.com",
    "billing_postal_code": "54000",
    "billing_state": "Punjab",
    "client_secret": "pi_3QxYzAbCdEfGhIjK_secret_…",
    "code": "invalid_input",
    "country_code": "PK",
    "credit_note_number": "CN-2-202612-0001",
    "currency": "USD",
    "current_password": "old long and unusual 7",
    "description": "Starter plan, monthly",
    "display_name": "Bank Transfer",
    "domain": "shop.example.com",
    "email": "ayesha@example.com",
    "first_name": "Ayesha",
    "iban": "DE89370400440532013000",
    "instructions": "Quote the invoice number.",
    "invoice_number": "INV-2-202612-0001",
    "last_name": "Khan",
    "manual_notes": "Sent on Monday",
    "manual_reference": "BT-20261208-12345",
    "message": "",
    "name": "My shop",
    "new_password": "long and unusual 7",
    "notes": "Thank you",
    "operation_type": "article",
    "package": "pro",
    "password": "long and unusual 7",
    "password_confirm": "long and unusual 7",
    "payment_method": "bank_transfer",
    "percent": "75.00",
    "plan": "starter",
    "plan_slug": "starter",
    "proof_url": "https://files.example.com/receipt.png",
    "public_key": "pk_test_…",
    "reason": "Agreed with the customer",
    "reference": "RT-20261209-1",
    "refresh": "eyJhbGciOiJIUzI1NiJ9…",
    "request_id": "5f0c7a0e6c1b4a52",
    "return_url": "http://localhost:8011/pay/thanks/",
    "routing_number": "021000021",
    "setup": "seti_1QxYzAbCdEfGhIjK",
    "slug": "my-shop",
    "status": "active",
    "swift_code": "ABCDPKKA",
    "tax_id": "1234567-8",
    "timezone": "Asia/Karachi",
    "token": "eyJhbGciOiJIUzI1NiJ9…",
    "wallet_id": "03001234567",
    "wallet_type": "JazzCash",
}
BY_FORMAT = {
    "date": "2026-12-01",
    "date-time": "2026-12-01T09:30:00Z",
    "email": "ayesha@example.com",
    "uri": "https://files.example.com/receipt.png",
    "uuid": "3f0c2a4e-9d7b-4a50-8c1f-6a1e2b3c4d5e",
}
MAX_DEPTH = 8
# On a field that takes the place of another one: an example that had both would be refused.
NOT_SHOWN = "x-not-in-examples"


def example_of(schema: dict[str, Any], components: dict[str, Any], name: str = "", depth: int = 0) -> Any:
    """A value that `schema` (OpenAPI 3.1) describes; `components` holds the schemas that it refers to."""
    schema = _resolved(schema, components)
    for key in ("example", "const", "default"):
        if schema.get(key) not in (None, ""):
            return schema[key]
    if "enum" in schema:
        return BY_NAME[name] if BY_NAME.get(name) in schema["enum"] else schema["enum"][0]
    for key in ("oneOf", "anyOf"):
        if key in schema:
            return example_of(schema[key][0], components, name, depth)
    return _of_type(schema, components, name, depth)


def _of_type(schema: dict[str, Any], components: dict[str, Any], name: str, depth: int) -> Any:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = next((choice for choice in kind if choice != "null"), "null")
    if kind == "object":
        properties = schema.get("properties", {}) if depth < MAX_DEPTH else {}
        shown = {key: value for key, value in properties.items() if not value.get(NOT_SHOWN)}
        return {key: example_of(value, components, key, depth + 1) for key, value in shown.items()}
    if kind == "array":
        return [example_of(schema["items"], components, name.removesuffix("s"), depth + 1)] if "items" in schema else []
    if kind == "string":
        return BY_FORMAT.get(schema.get("format", ""), BY_NAME.get(name, "text"))
    return {"boolean": True, "null": None}.get(kind, schema.get("minimum", 1) or 1)


def _resolved(schema: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = components[schema["$ref"].rpartition("/")[2]]
    if len(schema.get("allOf", ())) == 1:
        return {**_resolved(schema["allOf"][0], components), **{k: v for k, v in schema.items() if k != "allOf"}}
    return schema
