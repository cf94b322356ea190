from django.utils.translation import gettext_lazy as _

from igny8_core.web.frame.forms import NewPasswordForm, PageForm, email_field, password_field


class LoginForm(PageForm):
    """As the API's LoginInput."""

    email = email_field()
    password = password_field()


class ForgottenPasswordForm(PageForm):
    """As the API's PasswordResetInput."""

    email = email_field()


class ChosenPasswordForm(NewPasswordForm):
    """As the API's PasswordResetConfirmInput, typed twice."""

    password_fields = ("new_password", "new_password_confirm")

    new_password = password_field(is_new=True)
    new_password_confirm = password_field(
        is_new=True,
        label=_("New password, once more"),
        help_text="",
        error_messages={"required": _("Type the new password once more.")},
    )
