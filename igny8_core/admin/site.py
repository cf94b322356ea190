from unfold.sites import UnfoldAdminSite


class ConsoleSite(UnfoldAdminSite):
    """The operators' console."""
