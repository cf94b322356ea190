"""Console pages of who exists; importing them registers them."""

from igny8_core.auth.admin import account, catalogue, group, site, user

__all__ = ["account", "catalogue", "group", "site", "user"]
