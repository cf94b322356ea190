"""Writes docs/api.md from the code."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from drf_spectacular.generators import SchemaGenerator

from igny8_core.common.api.reference import as_markdown


class Command(BaseCommand):
    help = "Write docs/api.md, the API's reference page, from the OpenAPI document."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="only tell whether the page is as it would be written")

    def handle(self, *args: Any, **options: Any) -> None:
        document = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
        text, page = as_markdown(document), Path(settings.BASE_DIR) / "docs" / "api.md"
        if not options["check"]:
            page.write_text(text, encoding="utf-8")
            self.stdout.write(f"Wrote {page}")
        elif page.read_text(encoding="utf-8") != text:
            raise CommandError("docs/api.md is not what the code says. Run: manage.py write_api_reference")
