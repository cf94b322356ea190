from django.db import models


class Industry(models.Model):
    """The industry of a site."""

    name = models.CharField(max_length=100, unique=True)
    slug = models.SlugField(max_length=100, unique=True)
    is_active = models.BooleanField("active", default=True, help_text="Off: customers can no longer choose it")

    class Meta:
        db_table = "igny8_industries"
        verbose_name_plural = "industries"
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
