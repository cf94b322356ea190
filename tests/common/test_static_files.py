"""What production makes of static files before anybody asks for them."""

from pathlib import Path

import pytest

from igny8_core.common.static_files import StaticFiles

FONT, STYLES = "fonts/thai.ttf", "web/scripts.css"


@pytest.fixture
def prepared(tmp_path: Path) -> dict[str, str]:
    """The names under which browsers ask for a font and for a stylesheet that names it."""
    for name, content in (
        (FONT, b"\x00\x01\x00\x00" + b"outline " * 500),
        (STYLES, b'@font-face { src: url("../fonts/thai.ttf"); }'),
    ):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(content)
    storage = StaticFiles(location=tmp_path, base_url="/static/")
    list(storage.post_process({name: (storage, name) for name in (FONT, STYLES)}))
    return {name: storage.stored_name(name) for name in (FONT, STYLES)}


def test_a_stylesheet_names_the_font_by_its_content(prepared: dict[str, str], tmp_path: Path) -> None:
    assert prepared[FONT] != FONT
    assert (tmp_path / prepared[STYLES]).read_text() == f'@font-face {{ src: url("../{prepared[FONT]}"); }}'


def test_only_the_font_that_is_asked_for_is_compressed(prepared: dict[str, str], tmp_path: Path) -> None:
    compressed = {str(path.relative_to(tmp_path)) for path in (tmp_path / "fonts").glob("*.[bg][rz]")}

    assert compressed == {f"{prepared[FONT]}.br", f"{prepared[FONT]}.gz"}
