from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from igny8_core.common import clock


class SiteStatus(models.TextChoices):
    ACTIVE = "active", _("Active")
    INACTIVE = "inactive", _("Inactive")


class Site(models.Model):
    """A web site of an account. The terms of its subscription limit how many it may have (`max_sites`)."""

    account = models.ForeignKey("igny8_auth.Account", on_delete=models.PROTECT, related_name="sites")
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80)
    domain = models.CharField(max_length=253, blank=True)
    industry = models.ForeignKey("igny8_auth.Industry", on_delete=models.PROTECT, related_name="sites")
    status = models.CharField(max_length=10, choices=SiteStatus.choices, default=SiteStatus.ACTIVE)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        db_table = "igny8_sites"
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=["account", "slug"], name="igny8_sites_slug_unique"),
            models.CheckConstraint(condition=Q(status__in=SiteStatus.values), name="igny8_sites_status_known"),
        ]

    def __str__(self) -> str:
        return self.name


class SiteUserAccess(models.Model):
    """A member's access to a site. Owners and admins get it for every site; others are granted it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="site_access")
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="access")
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        db_table = "igny8_site_user_access"
        verbose_name = "site access"
        verbose_name_plural = "site access"
        constraints = [models.UniqueConstraint(fields=["user", "site"], name="igny8_site_user_access_once")]

    def __str__(self) -> str:
        return f"{self.user} on {self.site}"
