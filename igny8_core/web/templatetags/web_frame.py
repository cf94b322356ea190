"""The filters of every template, under the name that pages load."""

from igny8_core.common.templatetags.written import register

__all__ = ["register"]
