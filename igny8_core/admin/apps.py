from django.contrib.admin.apps import AdminConfig


class ConsoleConfig(AdminConfig):
    """Django's admin application with the operators' console as its site."""

    default_site = "igny8_core.admin.site.ConsoleSite"
