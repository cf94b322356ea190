"""What the API's description says of fields and parameters that mean the same wherever they stand."""

from collections.abc import Iterator
from typing import Any

# Of a field without a help_text of its own. A name is here only if the sentence is true of every field of that name.
FIELDS = {
    "account_id": "Which account it belongs to, by its id",
    "account_name": "Name of that account",
    "account_number": "Of the bank account to which the customer pays; can be empty",
    "account_title": "Name of the bank account's holder; can be empty",
    "bank_name": "Of the bank to which the customer pays; can be empty",
    "billing_address_line1": "Street and number, as printed on invoices; can be empty",
    "billing_address_line2": "Further part of the address, as printed on invoices; can be empty",
    "billing_city": "Town or city, as printed on invoices; can be empty",
    "billing_country": "ISO 3166-1 alpha-2 code, as printed on invoices; can be empty",
    "billing_email": "Where invoices are sent; empty: to the owner",
    "billing_postal_code": "Postal code, as printed on invoices; can be empty",
    "billing_state": "State or province, as printed on invoices; can be empty",
    "created_at": "When it came into being, in UTC",
    "currency": "ISO 4217 code of the currency of the amounts",
    "data": "What was asked for, a page of it in lists",
    "display_name": "Its name as people read it",
    "due_date": "Day until which it is to be paid",
    "email": "E-mail address of the person, in small letters",
    "first_name": "Given name of the person",
    "iban": "Of the bank account to which the customer pays, in capitals without spaces; can be empty",
    "id": "Number that identifies it among its kind; it never changes",
    "invoice_date": "Day on which it was made, in UTC",
    "invoice_id": "Which invoice it belongs to, by its id",
    "invoice_number": "Number of the invoice, as printed on it",
    "last_name": "Family name of the person; can be empty in answers",
    "manual_notes": "What the customer wrote to the operators; can be empty",
    "manual_reference": "Reference of the transfer as the customer gave it; can be empty",
    "name": "Its name as people read it",
    "next": "Address of the next page; null on the last one",
    "operation_type": "Code of the operation that costs credits",
    "paid_at": "When it was paid, in UTC; null while it is not",
    "password": "Of the person, exactly as it was chosen",
    "password_confirm": "The same password once more",
    "payment_id": "Which payment it belongs to, by its id",
    "plan": "Slug of the plan",
    "previous": "Address of the page before; null on the first one",
    "routing_number": "Of the bank to which the customer pays: ABA number, sort code, …; can be empty",
    "slug": "Short name of letters, digits, hyphens and underscores",
    "success": "Whether the request was carried out: true in an answer with data, false in a refusal",
    "swift_code": "BIC of the bank to which the customer pays; can be empty",
    "tax_id": "Tax number, as printed on invoices; can be empty",
    "timezone": "IANA name of the time zone in which the account's days begin",
    "type": "Which event it is, as noun.participle; there can be new ones at any time",
    "wallet_id": "Number or name of the wallet to which the customer pays; can be empty",
    "wallet_type": "Which wallet it is, such as JazzCash; can be empty",
}
PARAMETERS = {
    "account": "Only what belongs to the account with this id",
    "account_id": "Which account is meant, by its id",
    "config_id": "Which row is meant, by its id: a payment method as it is offered in a country",
    "cost_id": "Which row is meant, by its id: what an operation costs",
    "country": "Only rows of this country, ISO 3166-1 alpha-2, or of * for all countries",
    "created_from": "Only what was made on this day (UTC) or after",
    "created_to": "Only what was made on this day (UTC) or before",
    "credit_note_id": "Which credit note is meant, by its id",
    "currency": "Only what is in this currency, ISO 4217",
    "date_from": "Only what is of this day (UTC) or after",
    "date_to": "Only what is of this day (UTC) or before",
    "flagged": "true: only payments whose reference another one carries too; false: only the others",
    "granularity": "How long the intervals of series are",
    "invitation_id": "Which of the account's invitations is meant, by its id",
    "invoice_id": "Which invoice is meant, by its id",
    "is_active": "true: only what can be charged; false: only what cannot",
    "is_enabled": "true: only what customers are offered; false: only what they are not",
    "method_id": "Which of the saved payment methods is meant, by its id",
    "page": "Which page of the list, from 1; one past the end is refused with 404",
    "page_size": "How many rows a page has, 1 to 100; without it 25",
    "payment_id": "Which payment is meant, by its id",
    "payment_method": "Only this way of paying",
    "plan": "Only accounts on the plan with this slug",
    "proof_id": "Which uploaded proof of payment is meant, by its id",
    "search": "Text to look for, 1 to 100 characters; the operation says where",
    "site_id": "Which of the account's sites is meant, by its id",
    "status": "Only what has this status",
    "subscription_id": "Which subscription is meant, by its id",
    "transaction_type": "Only entries of this type",
    "type": "Only events of this type, such as payment.approved",
    "user_id": "Which member of the account is meant, by their id",
}
# What drf-spectacular says by itself, in other words than ours.
NOT_OURS = {"A page number within the paginated result set.", "Number of results to return per page."}


def describe_fields(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """drf-spectacular postprocessing hook: the sentences above, sizes of numbers, words of parameters by name."""
    schemas = result.get("components", {}).get("schemas", {})
    for schema in schemas.values():
        for name, field in schema.get("properties", {}).items():
            # The columns hold 64 bits; without a format generators take 32.
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
    """`schema` with a description; a reference is wrapped, because generators overlook what stands beside one."""
    return {"allOf": [schema], "description": text} if "$ref" in schema else {**schema, "description": text}


def _parameters(result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in result.get("paths", {}).values():
        for operation in item.values():
            yield from operation.get("parameters", ())
