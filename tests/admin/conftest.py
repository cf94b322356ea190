"""What tests of the console share."""

import pytest
from django.template.response import SimpleTemplateResponse

from igny8_core.admin.site import ConsoleSite
from igny8_core.web.frame import refusals


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks at the pages here: whether they are answered is decided before they are drawn."""
    monkeypatch.setattr(SimpleTemplateResponse, "rendered_content", "")
    monkeypatch.setattr(refusals, "render_to_string", lambda *args: "")
    monkeypatch.setattr(ConsoleSite, "each_context", lambda site, request: {})
