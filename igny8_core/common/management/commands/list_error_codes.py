"""Prints docs/api-codes.md."""

from typing import Any

from django.core.management.base import BaseCommand

from igny8_core.common.api.codes import codes_of
from igny8_core.common.api.published import whole_document

HEAD = """# All error codes

What `manage.py list_error_codes` prints; a test compares. A refusal carries one of these as `code`, which never
changes. Its `message` can be a more exact sentence than the usual one here, and `errors` has sentences for the fields
that are to blame. A running server shows the same at `/api/docs/codes/`, in production only what is for customers. How
to read refusals: [the API](api.md#refusals).

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
