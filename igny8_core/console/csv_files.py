"""Tables as CSV files, which spreadsheets open."""

import csv
from base64 import b64encode
from collections.abc import Iterable, Sequence
from io import StringIO


def csv_of(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The text of the file. No cell is taken for a formula."""
    written = StringIO()
    table = csv.writer(written)
    table.writerow(head)
    for cells in rows:
        table.writerow([_harmless(str(cell)) for cell in cells])
    return written.getvalue()


def link_with(content: str) -> str:
    """An address that has the whole file in it: for a page that is not kept, and cannot be asked for again."""
    return f"data:text/csv;charset=utf-8;base64,{b64encode(content.encode()).decode()}"


def _harmless(cell: str) -> str:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else cell
