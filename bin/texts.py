"""The catalogs of our texts: .venv/bin/python bin/texts.py

Reads the marked texts of the code, brings each igny8_core/locale/<language>/LC_MESSAGES/django.po up to date, makes the
.mo beside it, and lists what is not translated. Nothing but Babel and Django is needed for it (docs/languages.md).
"""

import io
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.messages import Catalog, Message
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
CODE = ROOT / "igny8_core"
LOCALE = CODE / "locale"
# The console and what developers read are in English (docs/adr/0016-languages.md).
ENGLISH = re.compile(r"igny8_core/(admin|console)/|/admin/|/management/|/migrations/")
KEYWORDS: dict[str, Any] = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    "npgettext": ((1, "c"), 2, 3),
}
MARKED_TEMPLATES = ("web/templates", "auth/templates", "business/billing/templates", "common/templates/emails")
DATE = datetime(2026, 1, 1, tzinfo=UTC)
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%%")


def languages() -> list[str]:
    """The languages that there are catalogs of."""
    return sorted(folder.name for folder in LOCALE.iterdir() if folder.is_dir())


def sources() -> Iterator[Path]:
    """The files whose texts people read."""
    for path in sorted(CODE.rglob("*.py")):
        if not ENGLISH.search(path.relative_to(ROOT).as_posix()):
            yield path
    yield from templates()


def templates() -> Iterator[Path]:
    """The templates of pages, mails and documents."""
    for folder in MARKED_TEMPLATES:
        yield from sorted(path for path in (CODE / folder).rglob("*") if path.suffix in {".html", ".txt"})


def extracted() -> Catalog:
    """The marked texts, with the files they stand in."""
    catalog = Catalog(fuzzy=False)
    for path in sources():
        # Without the number of the line, which changes with every edit.
        where: Any = [(path.relative_to(ROOT).as_posix(), None)]
        for text, context in _texts_of(path):
            if _is_text(text):
                catalog.add(text, locations=where, flags=_flags(text), context=context)
    return catalog


def _is_text(text: Any) -> bool:
    return bool(all(text) if isinstance(text, tuple) else text)


def _flags(text: Any) -> list[str]:
    return ["python-format"] if placeholders(text if isinstance(text, str) else text[1]) else []


def _texts_of(path: Path) -> Iterator[tuple[Any, str | None]]:
    source = path.read_text()
    if path.suffix != ".py":
        # Without its indentation a template made ready for extraction reads like Python.
        source = "\n".join(line.strip() for line in templatize(source, origin=str(path)).splitlines())
    found: Iterator[tuple[int, Any, Any, Any]] = extract_python(io.BytesIO(source.encode()), KEYWORDS, [], {})
    for _line, keyword, said, _comments in found:
        parts: tuple[Any, ...] = said if isinstance(said, tuple) else (said,)
        if keyword.startswith("pgettext"):
            yield parts[1], parts[0]
        elif keyword == "npgettext":
            yield parts[1:3], parts[0]
        elif keyword.startswith("ngettext"):
            yield parts[:2], None
        else:
            yield parts[0], None


def placeholders(text: str) -> set[str]:
    """The names of what is put into a text."""
    return {found[1] for found in PLACEHOLDER.finditer(text) if found[1]}


def catalog_of(language: str) -> Catalog:
    """The catalog as it is stored."""
    with (LOCALE / language / "LC_MESSAGES" / "django.po").open("rb") as file:
        return _dated(read_po(file, locale=language))


def _dated(catalog: Catalog) -> Catalog:
    # Always the same, so that the same texts make the same file; git knows when they changed.
    catalog.creation_date = catalog.revision_date = DATE
    return catalog


def compiled(language: str) -> bytes:
    """What the .mo has to be, made from the .po."""
    out = io.BytesIO()
    write_mo(out, catalog_of(language))
    return out.getvalue()


def update(language: str) -> list[Message]:
    """Bring a catalog up to date. What is translated stays; what is no longer said goes. Returns what is missing."""
    catalog, found = catalog_of(language), extracted()
    catalog.update(found, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    write(language, catalog)
    return missing(catalog)


def missing(catalog: Catalog) -> list[Message]:
    """What has no translation, or one that somebody has to look at."""
    return [message for message in catalog if message.id and (message.fuzzy or not _is_text(message.string))]


def write(language: str, catalog: Catalog) -> None:
    """Store a catalog and its .mo."""
    folder = LOCALE / language / "LC_MESSAGES"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "django.po").open("wb") as file:
        write_po(file, _dated(catalog), width=120, sort_output=True, include_lineno=False, omit_header=False)
    (folder / "django.mo").write_bytes(compiled(language))


def main() -> int:
    """Bring all catalogs up to date; 1 if something is not translated."""
    is_complete = True
    for language in languages():
        untranslated = update(language)
        for message in untranslated:
            print(f"{language}: {message.id!r}")
        is_complete = is_complete and not untranslated
    return 0 if is_complete else 1


if __name__ == "__main__":
    sys.exit(main())
