from django.db import models


class Industry(models.Model):
    """The line of business of a site."""

    name = models.CharField(max_length=100, unique=True)
    slug = models.SlugField(max_length=100, unique=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        db_table = "igny8_industries"
        verbose_name_plural = "industries"
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
