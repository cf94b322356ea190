"""Where the caller is logged in, and ending that."""

from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.api.account_serializers import SessionOutput
from igny8_core.auth.models import LoginSession
from igny8_core.auth.permissions import IsUser, caller_of, user_of
from igny8_core.auth.selectors import sessions_of
from igny8_core.auth.services.sessions import end_other_sessions, end_session
from igny8_core.common.api.envelope import success
from igny8_core.common.api.views import ListViewSet


@extend_schema_view(list=extend_schema(operation_id="list_sessions"))
class SessionViewSet(ListViewSet):
    """Your logins that are open: browsers on our pages, and programs and frontends with a token."""

    tag = "account"
    permission_classes = (IsUser,)
    lookup_url_kwarg = "session_id"
    lookup_value_converter = "uuid"
    serializer_class = SessionOutput
    orderings = {"created_at": "created_at"}
    default_ordering = "-created_at"

    def rows(self) -> QuerySet[LoginSession]:
        return sessions_of(user_of(self.request))

    @extend_schema(operation_id="end_session", responses={200: None})
    def destroy(self, request: Request, session_id: UUID) -> Response:
        """End one of your logins; its cookie or tokens open nothing any more. The present one can be ended, too."""
        end_session(user_of(request), session_id)
        return success(message=_("This login has ended."))

    @extend_schema(operation_id="end_other_sessions", request=None, responses={200: None})
    @action(detail=False, methods=["post"], url_path="end-others")
    def end_others(self, request: Request) -> Response:
        """End all of your logins but the one that this request comes from."""
        end_other_sessions(user_of(request), caller_of(request).session_id)
        return success(message=_("You are logged out everywhere else."))
