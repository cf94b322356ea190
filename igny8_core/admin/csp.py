"""The console's own Content-Security-Policy."""

from collections.abc import Callable

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.http import HttpRequest, HttpResponse

from igny8_core.common.middleware import CONSOLE_PREFIX

# The theme's scripts evaluate expressions in attributes (Alpine) and set styles on elements.
CONSOLE_POLICY = {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}


class ConsolePolicyMiddleware:
    """Relaxes the policy under /admin/. It must come after PolicyMiddleware in the settings, which reads the mark."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path_info.startswith(CONSOLE_PREFIX):
            response._csp_replace = CONSOLE_POLICY  # type: ignore[attr-defined]
        return response
