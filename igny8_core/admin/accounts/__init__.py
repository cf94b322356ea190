"""The page of an account, with all that belongs to it; importing it registers its pages."""

from igny8_core.admin.accounts import logs, pages

__all__ = ["logs", "pages"]
