"""Descriptions of the fields and parameters that mean the same in every operation, for the OpenAPI document."""

from collections.abc import Iterator
from typing import Any

# Used where a field has no help_text. A name is listed here if its sentence is true of every field of that name.
FIELDS = {
    "account_id": "Id of the account that it belongs to",
    "account_name": "Name that its owner gave to the account",
    "account_number": "Number of the bank account that the customer pays to; can be empty",
    "account_title": "Name of the bank account's holder; can be empty",
    "bank_name": "Name of the bank that the customer pays to; can be empty",
    "billing_address_line1": "Street and number, as printed on invoices; can be empty",
    "billing_address_line2": "Second line of the address, as printed on invoices; can be empty",
    "billing_city": "Town or city, as printed on invoices; can be empty",
    "billing_country": "ISO 3166-1 alpha-2 code, as printed on invoices; can be empty",
    "billing_email": "Address that invoices are sent to; if empty, they go to the owner",
    "billing_postal_code": "Postal code, as printed on invoices; can be empty",
    "billing_state": "State or province, as printed on invoices; can be empty",
    "created_at": "When it was created, in UTC",
    "currency": "ISO 4217 code of the currency of the amounts",
    "data": "The result; for lists, one page of it",
    "display_name": "Name to show to people",
    "due_date": "Last day on which it can be paid in time",
    "email": "E-mail address of the person, in lower case",
    "first_name": "Given name of the person",
    "iban": "IBAN of the bank account that the customer pays to, in capitals without spaces; can be empty",
    "id": "Id of the object, unique among objects of its kind; never changes",
    "invoice_date": "Day on which the invoice was created, in UTC",
    "invoice_id": "Id of the invoice that it belongs to",
    "invoice_number": "Number of the invoice, as printed on it",
    "last_name": "Family name of the person; can be empty in answers",
    "manual_notes": "What the customer wrote to the operators; can be empty",
    "manual_reference": "Reference of the transfer as the customer gave it; can be empty",
    "name": "Name to show to people",
    "next": "Address of the next page; null on the last page",
    "operation_type": "Code of the operation that costs credits",
    "paid_at": "When it was paid, in UTC; null until then",
    "password": "The person's password, exactly as they chose it",
    "password_confirm": "The same password again",
    "payment_id": "Id of the payment that it belongs to",
    "plan": "Slug of the plan",
    "previous": "Address of the previous page; null on the first page",
    "routing_number": "Routing number of the bank that the customer pays to: ABA number, sort code, …; can be empty",
    "slug": "Short name of letters, digits, hyphens and underscores",
    "success": "true if the request was carried out, false if it was refused",
    "swift_code": "BIC of the bank that the customer pays to; can be empty",
    "tax_id": "Tax number, as printed on invoices; can be empty",
    "timezone": "IANA name of the account's time zone, which decides when its days begin",
    "type": "Type of the event, as noun.participle; new types can be added at any time",
    "wallet_id": "Number or name of the wallet that the customer pays to; can be empty",
    "wallet_type": "Kind of wallet, such as JazzCash; can be empty",
}
PARAMETERS = {
    "account": "Only rows of the account with this id",
    "account_id": "Number that identifies the account",
    "config_id": "Id of the row that configures a payment method for a country",
    "cost_id": "Id of the row that says what an operation costs",
    "country": "Only rows for this country (ISO 3166-1 alpha-2), or * for the rows that apply to all countries",
    "created_from": "Only rows created on this day (UTC) or later",
    "created_to": "Only rows created on this day (UTC) or earlier",
    "credit_note_id": "Number that identifies the credit note",
    "currency": "Only rows in this currency (ISO 4217)",
    "date_from": "Only rows dated this day (UTC) or later",
    "date_to": "Only rows dated this day (UTC) or earlier",
    "flagged": "true: only payments whose reference another payment has too; false: only the others",
    "from_day": "Only rows whose period begins on this day (UTC) or later",
    "granularity": "Length of each interval in the series",
    "invitation_id": "Number that identifies the invitation",
    "session_id": "UUID that identifies the login",
    "invoice": "Only payments of the invoice with this id",
    "invoice_id": "Number that identifies the invoice",
    "is_active": "true: only operations that can be charged; false: only the others",
    "is_enabled": "true: only rows that are offered to customers; false: only the others",
    "method_id": "Number that identifies the saved payment method",
    "page": "Number of the page, from 1; a page past the end is refused with 404",
    "page_size": "Rows per page, 1 to 100; 25 if left out",
    "payment_id": "Number that identifies the payment",
    "payment_method": "Only rows with this payment method",
    "open_to": "Only sites that are open to the member with this number",
    "plan": "Only accounts on the plan with this slug",
    "proof_id": "Number that identifies the uploaded proof of payment",
    "renewal_id": "Number that identifies the renewal",
    "search": "Text to search for, 1 to 100 characters; the operation says which fields are searched",
    "site_id": "Number that identifies the site",
    "status": "Only rows with this status",
    "subscription_id": "Number that identifies the subscription",
    "timing": "ahead: only open renewals that are due later; behind: only those that are due and unpaid",
    "to_day": "Only rows whose period begins on this day (UTC) or earlier",
    "transaction_type": "Only transactions of this type",
    "type": "Only events of this type, such as payment.approved",
    "user_id": "Number that identifies the member of the account",
}
# drf-spectacular's own descriptions, which ours replace.
NOT_OURS = {"A page number within the paginated result set.", "Number of results to return per page."}


def describe_fields(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """drf-spectacular postprocessing hook: adds the descriptions above, the size of integers and shared enums."""
    schemas = result.get("components", {}).get("schemas", {})
    for schema in schemas.values():
        for name, field in schema.get("properties", {}).items():
            # The columns hold 64 bits. Without a format, client generators assume 32.
            whole = "integer" in field.get("type", "") and "maximum" not in field
            if "description" not in field and name in FIELDS:
                field = described(field, FIELDS[name])
            schema["properties"][name] = {**field, "format": "int64"} if whole else field
    if "BlankEnum" in schemas:
        schemas["BlankEnum"]["type"] = "string"
    known = {frozenset(schema["enum"]): name for name, schema in schemas.items() if "enum" in schema}
    for parameter in _parameters(result):
        if parameter.get("description", "") in {"", *NOT_OURS} and parameter["name"] in PARAMETERS:
            parameter["description"] = PARAMETERS[parameter["name"]]
        words = frozenset(parameter["schema"].get("enum", ()))
        if words in known:
            named = {"$ref": f"#/components/schemas/{known[words]}"}
            default = parameter["schema"].get("default")
            parameter["schema"] = {"allOf": [named], "default": default} if default else named
    return result


def described(schema: dict[str, Any], text: str) -> dict[str, Any]:
    """`schema` with a description. A reference is wrapped, because client generators ignore keys beside `$ref`."""
    return {"allOf": [schema], "description": text} if "$ref" in schema else {**schema, "description": text}


def _parameters(result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in result.get("paths", {}).values():
        for operation in item.values():
            yield from operation.get("parameters", ())
