"""What goes in and comes out of the operations on sites."""

from typing import Any

from django.core.validators import DomainNameValidator
from rest_framework import serializers

from igny8_core.auth.models import Industry, SiteStatus
from igny8_core.auth.selectors import active_industries
from igny8_core.auth.serializers import IndustryOutput
from igny8_core.common.api.fields import IdField, PlainTextField
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer


class IndustryIdField(IdField):
    """The id of an active industry."""

    def to_internal_value(self, data: Any) -> Industry:  # type: ignore[override]
        industry = active_industries().filter(pk=super().to_internal_value(data)).first()
        if industry is None:
            raise serializers.ValidationError("No such industry. GET /api/v1/auth/industries/ lists them.")
        return industry


class SiteInput(StrictSerializer):
    name = PlainTextField(max_length=200)
    domain = PlainTextField(
        max_length=253,
        required=False,
        allow_blank=True,
        validators=[DomainNameValidator(message="Write a domain name such as example.com, without https:// and path.")],
    )
    industry = IndustryIdField()


class SiteUpdateInput(SiteInput):
    status = serializers.ChoiceField(choices=SiteStatus.choices, required=False)


class SiteOutput(OutputSerializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    slug = serializers.CharField()
    domain = serializers.CharField()
    industry = IndustryOutput()
    status = serializers.CharField()
    created_at = serializers.DateTimeField()


class SiteAccessInput(StrictSerializer):
    user = IdField()


class SiteMemberOutput(OutputSerializer):
    user = serializers.IntegerField(source="pk")
    email = serializers.EmailField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    role = serializers.CharField()
    granted_at = serializers.DateTimeField(allow_null=True, help_text="Empty where the role alone opens every site")
