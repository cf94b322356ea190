"""The routes around people and accounts: who may call each, how it is called rightly, and what it takes."""

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from igny8_core.auth.services.invitations import invitation_token
from igny8_core.auth.services.mailed_tokens import Purpose, link_token
from tests import make

if TYPE_CHECKING:
    from tests.api.world import World

API = "api/v1/"
TEAM = f"{API}account/team/"

# Lines of the table in test_matrix.py, with its columns.
MATRIX = """
auth/password/reset/                                  POST                   200 200 200 200 200 200 200 200 200
auth/password/reset/                                  GET,PUT,PATCH,DELETE   405 405 405 405 405 405 405 405 405
auth/password/reset/confirm/                          POST                   400 200 200 200 200 200 200 200 200
auth/password/reset/confirm/                          GET,PUT,PATCH,DELETE   405 405 405 405 405 405 405 405 405
auth/email/verify/                                    POST                   400 200 200 200 200 200 200 200 200
auth/email/verify/                                    GET,PUT,PATCH,DELETE   405 405 405 405 405 405 405 405 405
auth/email/verify/resend/                             POST                   401 200 200 200 200 200 200 200 200
auth/email/verify/resend/                             GET,PUT,PATCH,DELETE   401 405 405 405 405 405 405 405 405
auth/confirm/                                         POST                   401 200 200 200 200 200 200 200 200
auth/confirm/                                         GET,PUT,PATCH,DELETE   401 405 405 405 405 405 405 405 405
auth/second-factor/                                   GET                    401 200 200 200 200 200 200 200 200
auth/second-factor/                                   POST                   401 409 409 409 409 409 409 200 200
auth/second-factor/                                   DELETE                 401 409 409 409 409 409 409 409 409
auth/second-factor/                                   PUT,PATCH              401 405 405 405 405 405 405 405 405
auth/second-factor/enable/                            POST                   401 409 409 409 409 409 409 409 409
auth/second-factor/enable/                            GET,PUT,PATCH,DELETE   401 405 405 405 405 405 405 405 405
auth/second-factor/recovery-codes/                    POST                   401 409 409 409 409 409 409 409 409
auth/second-factor/recovery-codes/                    GET,PUT,PATCH,DELETE   401 405 405 405 405 405 405 405 405
sites/<int64:site_id>/access/                         GET                    401 200 200 200 200 404 200 403 403
sites/<int64:site_id>/access/                         POST                   401 403 403 201 201 404 201 403 403
sites/<int64:site_id>/access/                         PUT,PATCH,DELETE       401 403 403 405 405 405 405 403 403
sites/<int64:site_id>/access/<int64:user_id>/         DELETE                 401 403 403 200 200 404 200 403 403
sites/<int64:site_id>/access/<int64:user_id>/         GET                    401 405 405 405 405 405 405 403 403
sites/<int64:site_id>/access/<int64:user_id>/         POST,PUT,PATCH         401 403 403 405 405 405 405 403 403
account/settings/                                     GET                    401 200 200 200 200 200 200 403 403
account/settings/                                     PATCH                  401 403 403 200 200 200 200 403 403
account/settings/                                     POST,PUT,DELETE        401 403 403 405 405 405 405 403 403
account/limits/                                       GET                    401 200 200 200 200 200 200 403 403
account/limits/                                       POST,PUT,PATCH,DELETE  401 405 405 405 405 405 405 403 403
account/activity/                                     GET                    401 200 200 200 200 200 200 403 403
account/activity/                                     POST,PUT,PATCH,DELETE  401 405 405 405 405 405 405 403 403
account/sessions/                                     GET                    401 200 200 200 200 200 200 200 200
account/sessions/                                     POST,PUT,PATCH,DELETE  401 405 405 405 405 405 405 405 405
account/sessions/end-others/                          POST                   401 200 200 200 200 200 200 200 200
account/sessions/end-others/                          GET,PUT,PATCH,DELETE   401 405 405 405 405 405 405 405 405
account/sessions/<uuid:session_id>/                   DELETE                 401 404 404 404 404 404 404 404 404
account/sessions/<uuid:session_id>/                   GET,POST,PUT,PATCH     401 405 405 405 405 405 405 405 405
account/usage/analytics/                              GET                    401 200 200 200 200 200 200 403 403
account/usage/analytics/                              POST,PUT,PATCH,DELETE  401 405 405 405 405 405 405 403 403
account/transfer-ownership/                           POST                   401 403 403 403 200 400 200 403 403
account/transfer-ownership/                           GET,PUT,PATCH,DELETE   401 403 403 403 405 405 405 403 403
account/delete/                                       POST                   401 403 403 403 409 409 403 403 403
account/delete/                                       GET,PUT,PATCH,DELETE   401 403 403 403 405 405 405 403 403
account/team/                                         GET                    401 200 200 200 200 200 200 403 403
account/team/                                         POST,PUT,PATCH,DELETE  401 405 405 405 405 405 405 403 403
account/team/invite/                                  POST                   401 403 403 201 201 400 403 403 403
account/team/invite/                                  GET,PUT,PATCH,DELETE   401 405 405 405 405 405 405 403 403
account/team/invitations/                             GET                    401 403 403 200 200 200 200 403 403
account/team/invitations/                             POST,PUT,PATCH,DELETE  401 403 403 405 405 405 405 403 403
account/team/invitations/accept/                      POST                   200 403 403 403 403 403 403 403 403
account/team/invitations/accept/                      GET,PUT,PATCH,DELETE   405 405 405 405 405 405 405 405 405
account/team/invitations/<int64:invitation_id>/       DELETE                 401 403 403 200 200 404 200 403 403
account/team/invitations/<int64:invitation_id>/       GET,POST,PUT,PATCH     401 403 403 405 405 405 405 403 403
account/team/invitations/<int64:invitation_id>/resend/ POST                  401 403 403 200 200 404 403 403 403
account/team/invitations/<int64:invitation_id>/resend/ GET,PUT,PATCH,DELETE  401 403 403 405 405 405 405 403 403
account/team/<int64:user_id>/                         DELETE                 401 403 403 200 200 404 200 403 403
account/team/<int64:user_id>/                         GET,POST,PUT,PATCH     401 405 405 405 405 405 405 403 403
account/team/<int64:user_id>/role/                    PATCH                  401 403 403 200 200 404 200 403 403
account/team/<int64:user_id>/role/                    GET,POST,PUT,DELETE    401 405 405 405 405 405 405 403 403
"""

ACCEPTED = {
    ("POST", f"{API}auth/password/reset/"): "email",
    ("POST", f"{API}auth/password/reset/confirm/"): "token new_password",
    ("POST", f"{API}auth/email/verify/"): "token",
    ("POST", f"{API}auth/confirm/"): "password otp",
    ("POST", f"{API}auth/second-factor/enable/"): "otp",
    ("POST", f"{API}sites/<int64:site_id>/access/"): "user",
    ("PATCH", f"{API}account/settings/"): "name timezone billing_email billing_address_line1 billing_address_line2"
    " billing_city billing_state billing_postal_code billing_country tax_id language version",
    ("POST", f"{API}account/transfer-ownership/"): "user password",
    ("POST", f"{API}account/delete/"): "password",
    ("POST", f"{TEAM}invite/"): "email role sites",
    ("POST", f"{TEAM}invitations/accept/"): "token password password_confirm first_name last_name",
    ("PATCH", f"{TEAM}<int64:user_id>/role/"): "role present_role",
}
WRITABLE = [(method, route, "anonymous" if route.endswith("accept/") else "owner") for method, route in ACCEPTED]
LISTS = [f"{API}account/activity/", TEAM, f"{TEAM}invitations/"]
FOR_MANAGERS = {f"{TEAM}invitations/"}
READS = [f"{API}account/settings/", f"{API}account/limits/"]
# Method, route with an id of the tenant, and who may call it for their own account.
OWN_OBJECTS = [
    ("POST", f"{API}sites/<int64:site_id>/access/", ["admin", "owner", "suspended"]),
    ("GET", f"{API}sites/<int64:site_id>/access/", ["viewer", "editor", "admin", "owner", "suspended"]),
    ("DELETE", f"{API}sites/<int64:site_id>/access/<int64:user_id>/", ["admin", "owner", "suspended"]),
    ("DELETE", f"{TEAM}<int64:user_id>/", ["viewer", "editor", "admin", "owner", "suspended"]),
    ("PATCH", f"{TEAM}<int64:user_id>/role/", ["viewer", "editor", "admin", "owner", "suspended"]),
    ("DELETE", f"{TEAM}invitations/<int64:invitation_id>/", ["admin", "owner", "suspended"]),
    ("POST", f"{TEAM}invitations/<int64:invitation_id>/resend/", ["admin", "owner", "suspended"]),
]


def bodies(world: "World", actor: str) -> dict[tuple[str, str], dict[str, Any]]:
    """What a caller sends who does everything right, by method and route."""
    user, tenant = world.users.get(actor), world.tenant(actor)
    reset, verification = (
        link_token(user, purpose, timezone.now()) if user else "no-token"
        for purpose in (Purpose.RESET, Purpose.VERIFICATION)
    )
    return {
        ("POST", f"{API}auth/password/reset/"): {"email": user.email if user else "nobody@example.com"},
        ("POST", f"{API}auth/password/reset/confirm/"): {"token": reset, "new_password": "long and unusual 7"},
        ("POST", f"{API}auth/email/verify/"): {"token": verification},
        ("POST", f"{API}auth/confirm/"): {"password": make.PASSWORD},
        ("POST", f"{API}auth/second-factor/enable/"): {"otp": "123456"},
        ("POST", f"{API}sites/<int64:site_id>/access/"): {"user": tenant.member.pk},
        ("PATCH", f"{API}account/settings/"): {"name": "Renamed", "timezone": "Asia/Karachi", "billing_country": "PK"},
        ("POST", f"{API}account/transfer-ownership/"): {"user": tenant.member.pk, "password": make.PASSWORD},
        ("POST", f"{API}account/delete/"): {"password": make.PASSWORD},
        ("POST", f"{TEAM}invite/"): {"email": "new@example.com", "role": "viewer", "sites": [tenant.site.pk]},
        ("POST", f"{TEAM}invitations/accept/"): {
            "token": invitation_token(tenant.invitation),
            "password": make.PASSWORD,
            "password_confirm": make.PASSWORD,
            "first_name": "Greta",
            "last_name": "Guest",
        },
        ("PATCH", f"{TEAM}<int64:user_id>/role/"): {"role": "viewer"},
    }
