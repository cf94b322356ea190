"""What tests of the console share."""

from typing import Any

import pytest
from django.http import HttpRequest
from django.template.response import SimpleTemplateResponse

from igny8_core.admin.site import ConsoleSite
from igny8_core.web.frame import refusals


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks at the pages here: whether they are answered is decided before they are drawn."""
    monkeypatch.setattr(SimpleTemplateResponse, "rendered_content", "")
    monkeypatch.setattr(refusals, "render_to_string", lambda *args: "")
    monkeypatch.setattr(ConsoleSite, "each_context", lambda site, request: {})


@pytest.fixture
def framed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The frame of the pages, with the same links for one operator everywhere, is drawn on the first page alone."""
    whole, drawn = ConsoleSite.each_context, {}

    def context(site: ConsoleSite, request: HttpRequest) -> dict[str, Any]:
        if request.user.pk in drawn:
            return drawn[request.user.pk]
        found = whole(site, request)
        drawn[request.user.pk] = {**found, "sidebar_navigation": [], "available_apps": []}
        return found

    monkeypatch.setattr(ConsoleSite, "each_context", context)
