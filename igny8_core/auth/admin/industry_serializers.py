"""Input of an industry in the console."""

from igny8_core.common.api.fields import PlainTextField, SlugField, TrueOrFalseField
from igny8_core.common.api.serializers import StrictSerializer


class IndustryInput(StrictSerializer):
    name = PlainTextField(max_length=100)
    slug = SlugField(max_length=100)
    is_active = TrueOrFalseField()
