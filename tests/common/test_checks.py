"""The site does not start with a route under /api/ that nobody decided about."""

import pytest
from django.http import HttpResponse
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.views import APIView

from igny8_core.common.api.permissions import PublicEndpoint
from igny8_core.common.api.routers import ApiRouter
from igny8_core.common.api.views import (
    ApiView,
    ApiViewSet,
    ListViewSet,
    NoSuchAddress,
    SingletonViewSet,
)
from igny8_core.common.checks import check_api_permissions


class Forgotten(ApiView):
    pass


class Empty(ApiView):
    permission_classes = ()


class Raw(APIView):
    permission_classes = (IsAuthenticated,)


class Decided(ApiView):
    permission_classes = (PublicEndpoint,)


class Inherited(Decided):
    pass


class Resource(ApiViewSet):
    """What the ViewSets below have in common: one standard verb, and one of their own."""

    def create(self, request):
        return HttpResponse()

    @action(detail=False)
    def summary(self, request):
        return HttpResponse()


class ForgottenViewSet(Resource):
    pass


class ForgottenListViewSet(ListViewSet):
    pass


class ForgottenSingletonViewSet(SingletonViewSet):
    def retrieve(self, request):
        return HttpResponse()


class EmptyViewSet(Resource):
    permission_classes = ()


class DecidedViewSet(Resource):
    permission_classes = (PublicEndpoint,)


class InheritedViewSet(DecidedViewSet):
    pass


class DecidedActionsViewSet(ApiViewSet):
    @action(detail=False, permission_classes=(PublicEndpoint,))
    def summary(self, request):
        return HttpResponse()


class HalfDecidedViewSet(DecidedActionsViewSet):
    def create(self, request):
        return HttpResponse()


class EmptiedActionViewSet(ApiViewSet):
    permission_classes = (PublicEndpoint,)

    @action(detail=False, permission_classes=())
    def summary(self, request):
        return HttpResponse()


def routed(viewset):
    router = ApiRouter()
    router.register("things", viewset)
    return path("api/", include(router.urls))


def page(request):
    return HttpResponse()


class Urls:
    def __init__(self, *urlpatterns):
        self.urlpatterns = list(urlpatterns)


def found(settings, *patterns):
    settings.ROOT_URLCONF = Urls(*patterns)
    return [message.id for message in check_api_permissions(None)]


@pytest.mark.parametrize("view", [Forgotten, Empty])
def test_a_view_without_a_permission_of_its_own_stops_the_start(settings, view):
    assert found(settings, path("api/x/", view.as_view())) == ["common.E002"]


@pytest.mark.parametrize("viewset", [ForgottenListViewSet, ForgottenSingletonViewSet, HalfDecidedViewSet])
def test_a_viewset_without_a_permission_of_its_own_stops_the_start(settings, viewset):
    assert found(settings, routed(viewset)) == ["common.E002"]


@pytest.mark.parametrize("viewset", [ForgottenViewSet, EmptyViewSet])
def test_an_action_that_names_no_permission_has_none_where_its_class_has_none(settings, viewset):
    assert found(settings, routed(viewset)) == ["common.E002", "common.E002"]


def test_an_action_that_names_an_empty_permission_stops_the_start(settings):
    assert found(settings, routed(EmptiedActionViewSet)) == ["common.E002"]


@pytest.mark.parametrize("viewset", [DecidedViewSet, InheritedViewSet, DecidedActionsViewSet])
def test_an_action_uses_the_permission_that_it_names_else_that_of_its_class(settings, viewset):
    assert found(settings, routed(viewset)) == []


def test_a_view_outside_our_base_stops_the_start(settings):
    assert found(settings, path("api/x/", Raw.as_view()), path("api/y/", page)) == ["common.E001", "common.E001"]


def test_routes_are_found_at_any_depth(settings):
    inner = include([path("a/", Forgotten.as_view()), re_path(r"^b/$", Decided.as_view())])
    outer = include([path("v1/", inner)])

    assert found(settings, path("api/", outer)) == ["common.E002"]


@pytest.mark.parametrize("view", [Decided, Inherited, NoSuchAddress, SpectacularAPIView])
def test_a_decided_view_passes(settings, view):
    assert found(settings, path("api/x/", view.as_view())) == []


def test_pages_outside_the_api_are_not_asked(settings):
    assert found(settings, path("x/", page), path("apiary/", page)) == []
