"""QR codes as paths of an SVG."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segno import QRCode

QUIET_ZONE = 4  # modules of white around the code, ISO/IEC 18004


def path_of_text(text: str) -> tuple[str, int]:
    """A code that reads as `text`: the path of its dark modules, and how many modules its side has."""
    # Not at the top: most pages have no code.
    import segno

    return path_of(segno.make_qr(text, error="m"))


def path_of(code: "QRCode") -> tuple[str, int]:
    """The code's dark modules as the path of an SVG, and how many modules its side has."""
    rows = ["".join("#" if dark else " " for dark in row) for row in code.matrix_iter(border=QUIET_ZONE)]
    runs = [(run.start(), y, len(run[0])) for y, row in enumerate(rows) for run in re.finditer("#+", row)]
    return "".join(f"M{x} {y}h{length}v1h-{length}z" for x, y, length in runs), len(rows)
