"""Two permission classes: nobody (the default), and everybody (which a view must name)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission

if TYPE_CHECKING:  # rest_framework.views itself loads this module, as the default permission
    from rest_framework.request import Request
    from rest_framework.views import APIView


class DenyAll(BasePermission):
    """The default: a view that names no permission serves nobody (docs/threats.md, TEN-16)."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return False


class PublicEndpoint(BasePermission):
    """Open to everybody, without a login."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return True
