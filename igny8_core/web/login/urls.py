from igny8_core.web.frame.addresses import addresses
from igny8_core.web.login import passwords, second_step, verification, views

urlpatterns = [
    *addresses("login", views.login, "login"),
    *addresses("login/code", second_step.login_code, "login_code"),
    *addresses("logout", views.logout, "logout"),
    *addresses("forgotten-password", passwords.forgotten_password, "forgotten_password"),
    *addresses("forgotten-password/sent", passwords.password_link_sent, "password_link_sent"),
    *addresses("new-password/<str:token>", passwords.new_password, "new_password"),
    *addresses("verify-email", verification.verification_link, "verification_link"),
    *addresses("verify-email/<str:token>", verification.verify_email, "verify_email"),
]
