"""Input of a group of permissions in the console."""

from igny8_core.common.api.fields import PlainTextField
from igny8_core.common.api.serializers import StrictSerializer


class GroupInput(StrictSerializer):
    name = PlainTextField(max_length=150)
