from django.utils.translation import gettext_lazy as _

from igny8_core.common.api.fields import NameField
from igny8_core.web.frame.forms import NewPasswordForm, name_field, password_field


class NewPersonForm(NewPasswordForm):
    """What somebody without a login says of themselves; as the API's AcceptInput."""

    first_name = name_field(_("First name"), "given-name", judge=NameField)
    last_name = name_field(_("Last name"), "family-name", judge=NameField)
    password = password_field(is_new=True, label=_("Password"))
    password_confirm = password_field(
        is_new=True,
        label=_("Password, once more"),
        help_text="",
        error_messages={"required": _("Type the password once more.")},
    )
