"""Prints docs/api-codes.md."""

from typing import Any

from django.core.management.base import BaseCommand

from igny8_core.common.api.codes import codes_of
from igny8_core.common.api.published import whole_document

HEAD = """# All error codes

`manage.py list_error_codes` prints this page; a test compares the two. Every refusal has one of these values as `code`.
A code never changes. The `message` of a refusal can be more exact than the usual sentence here, and `errors` says what
is wrong with each field. A running server shows this table at `/api/docs/codes/`; in production it shows the codes for
customers. [The API](api.md#refusals) explains how to read refusals.

| code | status | usual sentence | comes from |
|---|---|---|---|"""


class Command(BaseCommand):
    help = "Print the page of all error codes as Markdown: manage.py list_error_codes > docs/api-codes.md"

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the head and a row for each code."""
        rows = [
            f"| `{row.code}` | {row.status} | {row.sentence.replace('|', '/')} | {row.places} |"
            for row in codes_of(whole_document())
        ]
        self.stdout.write("\n".join([HEAD, *rows]))
