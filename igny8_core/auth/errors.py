"""What can be refused around people and accounts; code and status are part of the API and never change."""

from igny8_core.common.errors import DomainError


class InvalidCredentials(DomainError):
    code = "invalid_credentials"
    http_status = 401
    text = "E-mail address or password is wrong."


class InvalidToken(DomainError):
    code = "invalid_token"
    http_status = 401
    text = "This token is not valid any more. Log in again."


class PasswordsBusy(DomainError):
    code = "temporarily_unavailable"
    http_status = 503
    text = "Too many passwords are being checked at this moment. Nothing was changed; try again in a few seconds."


class EmailTaken(DomainError):
    code = "email_not_available"
    http_status = 400
    text = "This e-mail address cannot be used for a new account. If it is yours, log in instead."


class LimitReached(DomainError):
    code = "limit_reached"
    http_status = 409
    text = "Your plan's limit is reached. Remove something or move to a larger plan."


class PaymentRequired(DomainError):
    code = "payment_required"
    http_status = 402
    text = "Your account is waiting for payment. Pay the open invoice and confirm the payment to go on."


class AccountSuspended(DomainError):
    code = "account_suspended"
    http_status = 403
    text = "Your account is suspended. Contact support."


class AccountCanceled(DomainError):
    code = "account_canceled"
    http_status = 403
    text = "Your account is canceled. Order a plan to come back."


class AccountDeleted(DomainError):
    code = "account_deleted"
    http_status = 409
    text = "This account was deleted by its owner. Its books are kept and nothing is added to them."


class OwnAccount(DomainError):
    code = "own_account"
    http_status = 403
    text = "You belong to this account. Another operator has to do this."


class SuspensionLiftedByPayment(DomainError):
    code = "suspension_lifted_by_payment"
    http_status = 409
    text = "The account is suspended because it has not paid. Paying its open invoice lifts that."


class NotSuspended(DomainError):
    code = "not_suspended"
    http_status = 409
    text = "Only a suspended account can be activated by an operator."


class InvalidLink(DomainError):
    code = "invalid_link"
    http_status = 400
    text = "This is not a link of ours. Copy it from the mail again, whole."


class LinkExpired(DomainError):
    code = "link_expired"
    http_status = 410
    text = "This link was used already or has run out. Ask for a new one."


class EmailAlreadyVerified(DomainError):
    code = "email_already_verified"
    http_status = 409
    text = "Your e-mail address is verified already."


class TeamNotManaged(DomainError):
    code = "team_not_managed"
    http_status = 403
    text = "Your role may not do this. Ask an owner or admin of your account."


class RoleAboveOwn(DomainError):
    code = "role_above_own"
    http_status = 403
    text = "Nobody gives a role above their own. Ask an owner of your account."


class OwnRole(DomainError):
    code = "own_role"
    http_status = 403
    text = "Nobody changes their own role. Ask another owner or admin of your account."


class OwnerProtected(DomainError):
    code = "owner_protected"
    http_status = 403
    text = "Only an owner changes or removes an owner."


class OwnersOnly(DomainError):
    code = "owners_only"
    http_status = 403
    text = "Only an owner of the account may do this."


class LastOwner(DomainError):
    code = "last_owner"
    http_status = 409
    text = "The last active owner stays. Make another member an owner first."


class AlreadyMember(DomainError):
    code = "already_member"
    http_status = 409
    text = "A member of your account has this e-mail address already."


class MemberElsewhere(DomainError):
    code = "member_elsewhere"
    http_status = 409
    text = "This e-mail address belongs to a member of an account. Use another address, or leave that account first."


class LoginExists(DomainError):
    code = "login_exists"
    http_status = 409
    text = "There is a login with this e-mail address already. Log in, then accept the invitation."


class InvitationOpen(DomainError):
    code = "invitation_open"
    http_status = 409
    text = "An invitation of this e-mail address is open already. Send it again, or cancel it first."


class InvitationNotOpen(DomainError):
    code = "invitation_not_open"
    http_status = 409
    text = "This invitation was accepted or canceled already. Invite the person anew."


class InvitationGone(DomainError):
    code = "invitation_gone"
    http_status = 410
    text = "This invitation was used, withdrawn or has run out. Ask for a new one."


class InvitationForAnother(DomainError):
    code = "invitation_for_another"
    http_status = 403
    text = "This invitation is for another e-mail address than the one that you are logged in with."


class AccessByRole(DomainError):
    code = "access_by_role"
    http_status = 409
    text = "Owners and admins have access to every site. Change the person's role first."
