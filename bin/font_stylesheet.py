"""Writes the stylesheet that lets customers' pages use the invoices' fonts: .venv/bin/python bin/font_stylesheet.py

Run it after bin/fonts.py has made a font. A test fails if the stylesheet is out of date.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

CODE = Path(__file__).resolve().parent.parent / "igny8_core"
FOLDER = CODE / "business/billing/fonts"
INVOICES = CODE / "business/billing/templates/pdf/invoice.css"
TARGET = CODE / "web/static/web/scripts.css"
FACE = re.compile(r'font-family: Invoice ([\w ]+);(?: font-weight: (\d+);)? src: url\("packaged:([^"]+)"')
# Every browser has basic Latin. Nastaliq is another style of the letters that Naskh has.
NOT_SHOWN = {"Latin", "Nastaliq"}
# These fonts share blocks, and exact ranges would have 13,000 runs. So their ranges overlap: browsers try each file.
CHINESE = {"Chinese", "Japanese", "Traditional", "Hong Kong", "Rare"}
FIRST_OF_CHINESE, FIRST_IDEOGRAPH = 0x2E80, 0x3400
# These marks follow letters of any script. A file with them in its range would be fetched for other scripts too.
MARKS_OF_MANY_SCRIPTS = {*range(0x0300, 0x0370), *range(0xFE00, 0xFE10)}
# Joined letters of Marathi, Malayalam and Sinhala, and emoji of several characters, look wrong without these.
NEEDED = {
    "Devanagari": {0x200D},
    "Malayalam": {0x200D},
    "Sinhala": {0x200D},
    "Emoji": {0x200D, 0xFE0F, 0x20E3, *b"#*0123456789"},
}
# Android has these fonts under no family name. A stylesheet must use these names.
ON_ANDROID = {
    **dict.fromkeys(("Chinese", "Rare"), "NotoSansCJKsc-Regular"),
    **dict.fromkeys(("Traditional", "Hong Kong"), "NotoSansCJKtc-Regular"),
    "Japanese": "NotoSansCJKjp-Regular",
    "Korean": "NotoSansCJKkr-Regular",
    "Emoji": "NotoColorEmoji",
}
HEAD = """\
/* Fonts for letters that a visitor's machine lacks. Don't edit: bin/font_stylesheet.py makes it from invoices' fonts.
   A browser fetches a file when a page shows a letter in its range and no earlier font has that letter. */
"""


@dataclass
class Face:
    """One font file, and the characters that no earlier file has."""

    script: str
    weight: str
    file: str
    characters: set[int]


def stylesheet() -> str:
    """All rules. If ranges overlap, browsers use the last rule, so the font to be tried first comes last."""
    every = faces()
    shown = [face for face in every if face.script not in NOT_SHOWN]
    return HEAD + "".join(rule(face, every) for face in reversed(shown))


def faces() -> list[Face]:
    """All font files, in the order in which invoices try them."""
    found: dict[str, Face] = {}
    taken: set[int] = set()
    for script, weight, file in FACE.findall(INVOICES.read_text()):
        if weight:
            found[file] = Face(script, weight, file, next(f.characters for f in found.values() if f.script == script))
            continue
        found[file] = Face(script, weight, file, letters(script, file) - taken)
        taken |= found[file].characters
    return list(found.values())


def letters(script: str, file: str) -> set[int]:
    with TTFont(FOLDER / file, lazy=True) as font:
        known = set(font.getBestCmap()) - MARKS_OF_MANY_SCRIPTS
    lowest = FIRST_OF_CHINESE if script in CHINESE else 0
    return {code for code in known if code >= lowest and unicodedata.category(chr(code)) not in {"Cc", "Cf"}}


def rule(face: Face, every: list[Face]) -> str:
    # Fonts with one weight need another family: in a family with bold, bold text would not use them.
    in_two_weights = any(other.weight for other in every if other.script == face.script)
    family = "Packaged Letters" if in_two_weights else "Packaged Scripts"
    weight = f" font-weight: {face.weight};" if face.weight else ""
    sources = [*(f'local("{name}")' for name in names(face)), f'url("../fonts/{face.file}")']
    ranges = ", ".join(f"U+{first:X}-{last:X}" if first < last else f"U+{first:X}" for first, last in runs(face, every))
    return (
        f"@font-face {{ font-family: {family};{weight} font-display: swap;"
        f" src: {', '.join(sources)}; unicode-range: {ranges}; }}\n"
    )


def names(face: Face) -> Iterable[str]:
    """The names of the same font on a machine that has it installed."""
    with TTFont(FOLDER / face.file, lazy=True) as font:
        # A variable font has the name of its lightest weight.
        own = str(font["name"].getDebugName(6)).replace("Thin-", "-")
    return [own, ON_ANDROID[face.script]] if face.script in ON_ANDROID else [own]


def runs(face: Face, every: list[Face]) -> list[tuple[int, int]]:
    """The ranges of its characters. A gap is included if no font of another script has a letter in it."""
    others = {code for other in every if other.script != face.script for code in other.characters}
    if face.script in CHINESE:
        chinese = {code for other in every if other.script in CHINESE for code in other.characters}
        others -= {code for code in chinese if code >= FIRST_IDEOGRAPH}
    found: list[tuple[int, int]] = []
    for code in sorted(face.characters | NEEDED.get(face.script, set())):
        if found and others.isdisjoint(range(found[-1][1] + 1, code)):
            found[-1] = (found[-1][0], code)
        else:
            found.append((code, code))
    return found


if __name__ == "__main__":
    TARGET.write_text(stylesheet())
