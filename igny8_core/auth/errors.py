"""Errors about people and accounts. Code and status are part of the API and never change."""

from igny8_core.common.errors import DomainError
from igny8_core.common.marks import gettext_noop


class InvalidCredentials(DomainError):
    code = "invalid_credentials"
    http_status = 401
    text = gettext_noop("The e-mail address or the password is wrong. Try again, or choose a new password.")


class SecondFactorRequired(DomainError):
    code = "second_factor_required"
    http_status = 401
    text = gettext_noop(
        "The password is right. Send a code of your authenticator app as `otp` as well, or a recovery code."
    )


class SecondFactorWrong(DomainError):
    code = "second_factor_wrong"
    http_status = 401
    text = gettext_noop(
        "This is not a code of your device now, or it was used already. Wait for the next one, or use a recovery code."
    )


class SecondFactorSetupRequired(DomainError):
    code = "second_factor_setup_required"
    http_status = 403
    text = gettext_noop(
        "Operators need a second factor here. Set yours up in the console, or with POST /api/v1/auth/second-factor/, "
        "then log in again."
    )


class SecondFactorOff(DomainError):
    code = "second_factor_off"
    http_status = 409
    text = gettext_noop("Your second factor is off. Switch it on first, with POST /api/v1/auth/second-factor/.")


class SecondFactorCompulsory(DomainError):
    code = "second_factor_compulsory"
    http_status = 409
    text = gettext_noop(
        "Operators need a second factor here, so it stays on. For another device, begin a new enrolment."
    )


class NoEnrolment(DomainError):
    code = "no_enrolment"
    http_status = 409
    text = gettext_noop("No device waits for its first code. Begin anew with POST /api/v1/auth/second-factor/.")


class OwnSecondFactor(DomainError):
    code = "own_second_factor"
    http_status = 403
    text = gettext_noop("This is your own login. Use a recovery code, or ask another operator.")


class SuperusersOnly(DomainError):
    code = "superusers_only"
    http_status = 403
    text = gettext_noop("Only a superuser may do this to another operator's login.")


class EmailNotVerified(DomainError):
    code = "email_not_verified"
    http_status = 409
    text = gettext_noop("Confirm your e-mail address first, with the link that we mailed you. Then try again.")


class ConfirmationRequired(DomainError):
    code = "confirmation_required"
    http_status = 403
    text = gettext_noop(
        "Show once more that it is you: send your password, or a code of your second factor, to "
        "POST /api/v1/auth/confirm/. Then repeat this request."
    )


class SettingsChanged(DomainError):
    code = "settings_changed"
    http_status = 409
    text = gettext_noop(
        "Somebody else changed the settings meanwhile, and nothing of yours was saved. Load them again, then decide "
        "which to keep."
    )


class RoleChanged(DomainError):
    code = "role_changed"
    http_status = 409
    text = gettext_noop("Somebody else gave this member another role meanwhile. Load the team again, then decide.")


class TooManyTries(DomainError):
    code = "throttled"
    http_status = 429
    text = gettext_noop("Too many tries in a short time. Wait a minute, then try again.")


class InvalidToken(DomainError):
    code = "invalid_token"
    http_status = 401
    text = gettext_noop("This token is no longer valid. Log in again.")


class PasswordsBusy(DomainError):
    code = "temporarily_unavailable"
    http_status = 503
    text = gettext_noop(
        "Too many passwords are being checked right now. Nothing was changed. Try again in a few seconds."
    )


class EmailTaken(DomainError):
    code = "email_not_available"
    http_status = 400
    text = gettext_noop("This e-mail address cannot be used for a new account. If it is yours, log in instead.")


class LimitReached(DomainError):
    code = "limit_reached"
    http_status = 409
    text = gettext_noop("Your plan's limit is reached. Remove something, or change to a larger plan.")


class PaymentRequired(DomainError):
    code = "payment_required"
    http_status = 402
    text = gettext_noop("Your account is waiting for payment. Pay the open invoice to continue.")


class AccountSuspended(DomainError):
    code = "account_suspended"
    http_status = 403
    text = gettext_noop("Your account is suspended. Contact support to have it reactivated.")


class AccountCanceled(DomainError):
    code = "account_canceled"
    http_status = 403
    text = gettext_noop("Your account is canceled. Order a plan to use it again.")


class AccountDeleted(DomainError):
    code = "account_deleted"
    http_status = 409
    text = gettext_noop("The owner has deleted this account. Nothing can be added to it; its invoices are kept.")


class OwnAccount(DomainError):
    code = "own_account"
    http_status = 403
    text = gettext_noop("You are a member of this account. Ask another operator to do this.")


class SuspensionLiftedByPayment(DomainError):
    code = "suspension_lifted_by_payment"
    http_status = 409
    text = gettext_noop(
        "The account is suspended because it has not paid. It becomes active again when its open invoice is paid."
    )


class NotSuspended(DomainError):
    code = "not_suspended"
    http_status = 409
    text = gettext_noop("The account is not suspended, so there is nothing to lift.")


class NotOnTrial(DomainError):
    code = "not_on_trial"
    http_status = 409
    text = gettext_noop("The account is not on trial, so there is no end to move.")


class InvalidLink(DomainError):
    code = "invalid_link"
    http_status = 400
    text = gettext_noop("This link is not valid. Open the link in the e-mail again, or copy all of it.")


class LinkExpired(DomainError):
    code = "link_expired"
    http_status = 410
    text = gettext_noop("This link was already used or has expired. Request a new one.")


class EmailAlreadyVerified(DomainError):
    code = "email_already_verified"
    http_status = 409
    text = gettext_noop("Your e-mail address is already verified. There is nothing to do.")


class TeamNotManaged(DomainError):
    code = "team_not_managed"
    http_status = 403
    text = gettext_noop("Your role may not do this. Ask an owner or admin of your account.")


class RoleAboveOwn(DomainError):
    code = "role_above_own"
    http_status = 403
    text = gettext_noop("You cannot give a role above your own. Ask an owner of your account.")


class OwnRole(DomainError):
    code = "own_role"
    http_status = 403
    text = gettext_noop("You cannot change your own role. Ask another owner or admin of your account.")


class OwnerProtected(DomainError):
    code = "owner_protected"
    http_status = 403
    text = gettext_noop("Your role may not change or remove an owner. Ask an owner of your account.")


class OwnersOnly(DomainError):
    code = "owners_only"
    http_status = 403
    text = gettext_noop("Your role may not do this. Ask an owner of your account.")


class LastOwner(DomainError):
    code = "last_owner"
    http_status = 409
    text = gettext_noop(
        "An account needs an active owner, and this is the last one. Make another member an owner first."
    )


class AlreadyMember(DomainError):
    code = "already_member"
    http_status = 409
    text = gettext_noop("A member of your account already has this e-mail address. Use another address.")


class MemberElsewhere(DomainError):
    code = "member_elsewhere"
    http_status = 409
    text = gettext_noop(
        "This e-mail address belongs to a member of another account. Use another one, or leave that account first."
    )


class LoginExists(DomainError):
    code = "login_exists"
    http_status = 409
    text = gettext_noop("A login with this e-mail address already exists. Log in, then accept the invitation.")


class InvitationOpen(DomainError):
    code = "invitation_open"
    http_status = 409
    text = gettext_noop(
        "There is already an open invitation for this e-mail address. Send it again, or cancel it first."
    )


class InvitationNotOpen(DomainError):
    code = "invitation_not_open"
    http_status = 409
    text = gettext_noop("This invitation was already accepted or canceled. Send a new invitation.")


class InvitationGone(DomainError):
    code = "invitation_gone"
    http_status = 410
    text = gettext_noop("This invitation was used, canceled or has expired. Ask for a new one.")


class InvitationForAnother(DomainError):
    code = "invitation_for_another"
    http_status = 403
    text = gettext_noop("This invitation is for another e-mail address. Log in with the address that was invited.")


class AccessByRole(DomainError):
    code = "access_by_role"
    http_status = 409
    text = gettext_noop("Owners and admins have access to every site. Change the member's role first.")


class IsCustomer(DomainError):
    code = "is_customer"
    http_status = 409
    text = gettext_noop(
        "This address is the login of a customer, or was once. An operator has a login of their own: use another "
        "address."
    )


class IsOperatorAlready(DomainError):
    code = "is_operator_already"
    http_status = 409
    text = gettext_noop("This address is the login of an operator already. A superuser changes what they may do.")


class RoleAboveOwnPowers(DomainError):
    code = "role_above_own_powers"
    http_status = 403
    text = gettext_noop("Nobody gives a role that may do more than they may themselves. Ask a superuser to invite.")


class NobodyToLookAs(DomainError):
    code = "nobody_to_look_as"
    http_status = 409
    text = gettext_noop("This account has no owner who can log in, so there is nobody as whom its pages can be seen.")


class PersonIsOperator(DomainError):
    code = "person_is_operator"
    http_status = 403
    text = gettext_noop("The owner of this account is an operator too. Nobody logs in as another operator.")


class OperatorsOnlyLook(DomainError):
    code = "operators_only_look"
    http_status = 403
    text = gettext_noop(
        "You are looking at these pages as a customer sees them, and nothing can be changed meanwhile: no payments, no "
        "passwords, no people, no settings. Nothing was changed. End the look first, with the button above."
    )


class AccountChanged(DomainError):
    code = "account_changed"
    http_status = 409
    text = gettext_noop("The account has changed since you opened the dialog. Look at it, then decide again.")
