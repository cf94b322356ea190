"""Makes the fonts of invoices from the npm packages of Noto: .venv/bin/python bin/fonts.py

It needs npm. Run it only to add a script or to take a new release of Noto
(docs/adr/0013-fonts-come-with-the-code.md). The fonts are in the repository, so running the project does not need it.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from fontTools.merge import Merger  # type: ignore[import-untyped]
from fontTools.merge import Options as MergeOptions
from fontTools.subset import Options, Subsetter  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

FOLDER = Path(__file__).resolve().parent.parent / "igny8_core/business/billing/fonts"
VERSIONS = {"noto-emoji": "5.3.2"}
VERSION = "5.3.0"
# Each package, and the name of its subset for one script.
SCRIPTS = {
    **{f"noto-sans-{script}": script for script in (
        "bengali", "devanagari", "gujarati", "gurmukhi", "tamil", "telugu", "kannada", "malayalam", "sinhala", "oriya",
        "thai", "lao", "khmer", "myanmar", "hebrew", "armenian", "georgian", "ethiopic", "thaana", "syriac",
    )},
    "noto-emoji": "emoji",
}  # fmt: skip
SUBSETS_OF_NOTO_SANS = ("cyrillic-ext", "greek-ext")
HANGUL = {*range(0x1100, 0x1200), *range(0x3130, 0x3190), *range(0xA960, 0xA980), *range(0xAC00, 0xD800)}
# Browsers and PDFs take the space between two words from the font of the words.
SPACES = {0x20, 0xA0}
SIGNS = {*range(0x2190, 0x2400), *range(0x2460, 0x2800), *range(0x2900, 0x2C00)}
SIGNS_OF = (("noto-sans-symbols-2", "symbols"), ("noto-sans-symbols", "symbols"), ("noto-sans-math", "latin"))
CHINESE = "noto-sans-sc-chinese-simplified-400-normal.ttf"


def main() -> None:
    """Write each missing font and the licence of its package."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for package, subset in SCRIPTS.items():
            write([fetched(package, place) / "files" / f"{package}-{subset}-400-normal.woff2"], f"{package}-{subset}")
        for subset in SUBSETS_OF_NOTO_SANS:
            for weight in (400, 700):
                file = fetched("noto-sans", place) / "files" / f"noto-sans-{subset}-{weight}-normal.woff2"
                write([file], f"noto-sans-{subset}", weight=weight)
        write(
            (fetched("noto-serif-tibetan", place) / "files").glob("*-400-normal.woff2"),
            "noto-serif-tibetan-tibetan",
            only={*range(0x0F00, 0x1000)},
        )
        korean = fetched("noto-sans-kr", place) / "files" / "noto-sans-kr-korean-400-normal.woff2"
        write([korean], "noto-sans-kr-korean", only=HANGUL)
        write_signs(place)
        write_more_of_chinese_and_japanese(place)


def write_signs(place: Path) -> None:
    """Write arrows, signs and dingbats from three packages, because Latin fonts lack them."""
    for package, subset in SIGNS_OF:
        file = fetched(package, place) / "files" / f"{package}-{subset}-400-normal.woff2"
        write([file], f"{package}-signs", only=SIGNS)


def write_more_of_chinese_and_japanese(place: Path) -> None:
    """Write what the font of simplified Chinese lacks: kana, and rarer characters in the forms of their country."""
    covered = set(characters(FOLDER / CHINESE))
    for package in ("noto-sans-jp", "noto-sans-tc", "noto-sans-hk", "noto-sans-sc"):
        files = slices(package, place)
        only = {code for file in files for code in characters(file) if code >= 0x2E80} - covered - HANGUL - SIGNS
        write(files, f"{package}-more", only=only)
        covered |= only


def fetched(package: str, place: Path) -> Path:
    """Fetch and unpack a package, and copy its licence beside the fonts. Returns the folder of the package."""
    folder = place / package
    if not folder.exists():
        folder.mkdir()
        name = f"@fontsource/{package}@{VERSIONS.get(package, VERSION)}"
        subprocess.run(["npm", "pack", "--silent", name], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        archive = next(folder.glob("*.tgz"))
        shutil.unpack_archive(archive, folder)
        shutil.copy(folder / "package/LICENSE", FOLDER / f"OFL-{package}.txt")
    return folder / "package"


def slices(package: str, place: Path) -> list[Path]:
    """The files of a large font, which is cut into about a hundred. The Latin file has the spaces."""
    folder = fetched(package, place) / "files"
    return [folder / f"{package}-latin-400-normal.woff2", *sorted(folder.glob(f"{package}-[0-9]*-400-normal.woff2"))]


def characters(file: Path) -> Iterable[int]:
    found: dict[int, str] = TTFont(file, lazy=True).getBestCmap()
    return found


def write(files: Iterable[Path], name: str, *, only: set[int] | None = None, weight: int = 400) -> None:
    """Write one TTF from these files, with the characters in `only` or all. Hints are dropped; printers need none."""
    target = FOLDER / f"{name}-{weight}-normal.ttf"
    if target.exists() or only == set():
        return
    parts = [part for file in files if (part := reduced(file, only)) is not None]
    font = parts[0] if len(parts) == 1 else merged(parts)
    font.flavor = None
    font.save(target)
    print(target.name, target.stat().st_size, len(font.getBestCmap()))


def reduced(file: Path, only: set[int] | None) -> TTFont | None:
    font = TTFont(file)
    wanted = set(font.getBestCmap()) if only is None else set(font.getBestCmap()) & (only | SPACES)
    if not wanted:
        return None
    options = Options()
    options.hinting = False
    options.layout_features = ["*"]
    options.notdef_outline = True
    options.drop_tables += ["DSIG", "STAT", "MATH", "vhea", "vmtx", "VORG"]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=wanted)
    subsetter.subset(font)
    return font


def merged(parts: list[TTFont]) -> TTFont:
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, part in enumerate(parts):
            part.flavor = None
            paths.append(str(Path(folder) / f"{number}.ttf"))
            part.save(paths[-1])
        return Merger(MergeOptions()).merge(paths)


if __name__ == "__main__":
    main()
