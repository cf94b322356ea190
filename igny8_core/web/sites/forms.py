from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from igny8_core.auth.models import Industry, Site
from igny8_core.auth.selectors import active_industries
from igny8_core.auth.serializers import SiteDomainField
from igny8_core.web.frame.forms import CheckedField, PageForm, name_field


class IndustryField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """One of the industries that are in use."""

    def __init__(self, **named: Any) -> None:
        super().__init__(
            queryset=active_industries(),
            empty_label=gettext_lazy("Choose an industry"),
            error_messages={
                "required": gettext_lazy("Choose the industry of the site."),
                "invalid_choice": gettext_lazy("Choose one of the industries in the list."),
            },
            **named,
        )


class SiteForm(PageForm):
    """As the API's SiteInput."""

    name = name_field(
        gettext_lazy("Name of the site"),
        "off",
        limit=200,
        error_messages={"required": gettext_lazy("Give the site a name, for example that of your shop.")},
    )
    industry = IndustryField(label=gettext_lazy("Industry"))
    domain = CheckedField(
        SiteDomainField(),
        label=gettext_lazy("Domain"),
        required=False,
        help_text=gettext_lazy("Such as example.com. You can add it later."),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false", "inputmode": "url"}
        ),
    )

    @classmethod
    def of(cls, site: Site) -> "SiteForm":
        """The form with what is known of a site; an industry that is used no more can stay."""
        form = cls(initial={"name": site.name, "industry": site.industry_id, "domain": site.domain})
        form.keep_industry(site.industry)
        return form

    def keep_industry(self, industry: Industry) -> None:
        """Let the site's own industry be chosen, although it may be offered no more."""
        self.fields["industry"].queryset = active_industries() | Industry.objects.filter(pk=industry.pk)  # type: ignore[attr-defined]

    @property
    def changes(self) -> dict[str, Any]:
        """What was said, by column."""
        return {name: self.cleaned_data[name] for name in ("name", "industry", "domain")}


def saved_text(site: Site) -> str:
    """What is said after a site was saved."""
    return _("%(site)s is saved.") % {"site": site.name}
