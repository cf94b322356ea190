"""Input and output of the operations on sites."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from igny8_core.auth.models import Industry, Role, SiteStatus
from igny8_core.auth.selectors import active_industries
from igny8_core.auth.serializers import IndustryOutput, SiteDomainField
from igny8_core.common.api.fields import EnumField, IdField, PlainTextField
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer


class IndustryIdField(IdField):
    """The id of an active industry."""

    def to_internal_value(self, data: Any) -> Industry:  # type: ignore[override]
        industry = active_industries().filter(pk=super().to_internal_value(data)).first()
        if industry is None:
            raise serializers.ValidationError(_("No such industry. GET /api/v1/auth/industries/ lists them."))
        return industry


class SiteInput(StrictSerializer):
    """A site. Clients may send its industry as `industry` or as `industry_id`."""

    name = PlainTextField(max_length=200)
    domain = SiteDomainField(
        required=False, allow_blank=True, help_text="Such as example.com, without https:// and path; can be empty"
    )
    industry = IndustryIdField(required=False, help_text="Id of an industry; required, here or as `industry_id`")
    industry_id = IndustryIdField(required=False, help_text="Another name of `industry`")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Returns the industry as `industry`. Raises ValidationError if there is none, or two that differ."""
        named = [attrs[name] for name in ("industry", "industry_id") if name in attrs]
        if not named and not self.partial:
            raise serializers.ValidationError({"industry": [_("This field is required.")]}, code="required")
        if len(set(named)) > 1:
            text = _("industry and industry_id mean the same, but their values differ. Send one of them.")
            raise serializers.ValidationError({"industry_id": [text]}, code="invalid")
        rest = {name: value for name, value in attrs.items() if name != "industry_id"}
        return {**rest, "industry": named[0]} if named else rest


class SiteUpdateInput(SiteInput):
    status = serializers.ChoiceField(
        choices=SiteStatus.choices, required=False, help_text="An inactive site still counts against the plan's limit"
    )


class SiteOutput(OutputSerializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    slug = serializers.CharField()
    domain = serializers.CharField(help_text="Such as example.com; can be empty")
    industry = IndustryOutput(help_text="The site's industry")
    status = EnumField(SiteStatus, help_text="Whether the site is in use")
    created_at = serializers.DateTimeField()


class SiteAccessInput(StrictSerializer):
    user = IdField(help_text="Id of a member of the account")


class SiteMemberOutput(OutputSerializer):
    user = serializers.IntegerField(source="pk", help_text="Id of the member")
    email = serializers.EmailField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    role = EnumField(Role, help_text="What the person may do in the account")
    granted_at = serializers.DateTimeField(allow_null=True, help_text="When it was granted; null if the role gives it")
