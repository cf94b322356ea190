"""The operators' console: Django's admin site with our theme."""

from typing import TYPE_CHECKING

# The theme has no type hints; it adds to Django's class and changes none of its methods' types.
if TYPE_CHECKING:
    from django.contrib.admin import AdminSite as UnfoldAdminSite
else:
    from unfold.sites import UnfoldAdminSite


class ConsoleSite(UnfoldAdminSite):
    """The operators' console."""

    index_title = "Today"
