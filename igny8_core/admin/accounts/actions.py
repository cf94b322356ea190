"""What operators do with an account on its page: a button, a dialog that says what will happen, and one service."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.decorators import action as page_action
from unfold.enums import ActionVariant

from igny8_core.admin.accounts.dialogs import (
    AccountDialog,
    ActivateDialog,
    ChangeDialog,
    CreditsDialog,
    EndDialog,
    ExemptDialog,
    GoodwillDialog,
    LookDialog,
    MailDialog,
    NoteDialog,
    SuspendDialog,
    TrialDialog,
)
from igny8_core.auth.confirming import require_confirmed_operator
from igny8_core.auth.errors import AccountChanged
from igny8_core.auth.models import (
    ACCOUNT_TRANSITIONS,
    Account,
    AccountStatus,
    BillingDriver,
    CustomerLoginEnd,
    Subscription,
    SubscriptionStatus,
    SuspendedReason,
)
from igny8_core.auth.permissions import operator_of
from igny8_core.auth.services.account_notes import add_note
from igny8_core.auth.services.accounts import reinstate_account, suspend_account
from igny8_core.auth.services.customer_logins import begin_customer_login, end_customer_login
from igny8_core.auth.services.page_sessions import end_page_session
from igny8_core.auth.session_cookie import cookie_of, put_cookie
from igny8_core.business.billing.selectors import live_subscription_of
from igny8_core.business.billing.services.credits.goodwill import give_goodwill
from igny8_core.business.billing.services.credits.granting import LedgerEntry, adjust_credits
from igny8_core.business.billing.services.dunning.pauses import exempt_account
from igny8_core.business.billing.services.dunning.trials import extend_trial
from igny8_core.business.billing.services.subscriptions.decisions import change_for_customer, end_for_customer
from igny8_core.common.errors import DomainError
from igny8_core.console.dialogs import back_to, decided, led_to
from igny8_core.console.pages import ConsoleAdmin
from igny8_core.events.resending import resend_mail

Action = TypeVar("Action", bound=Callable[..., HttpResponse])
MODEL = "igny8_auth_account"


def _may(permission: str) -> Callable[..., bool]:
    """A check of the page: who may see accounts, and has the permission."""

    def has_it(self: "ActsOnAccounts", request: HttpRequest, obj: object = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm(permission)

    return has_it


def button(
    name: str,
    title: str,
    icon: str,
    dialog: type[AccountDialog],
    variant: ActionVariant = ActionVariant.DEFAULT,
) -> Callable[[Action], Action]:
    """An action of the page, by the name of its check, with its button and its dialog."""
    made: Callable[[Action], Action] = page_action(
        description=title,
        permissions=[name],
        icon=icon,
        url_path=name.replace("_", "-"),
        variant=variant,
        dialog={
            "title": dialog.title,
            "description": dialog.happens,
            "form_class": dialog,
            "form_submit_text": dialog.submit,
        },
    )
    return made


class ActsOnAccounts(ConsoleAdmin):
    """The buttons of an account's page."""

    actions_detail = (
        *("add_note", "look", "resend", "goodwill", "adjust", "change_plan", "end_plan", "exempt", "extend_trial"),
        *("activate", "suspend"),
    )

    has_add_note_permission = _may("igny8_auth.add_accountnote")
    has_look_permission = _may("igny8_auth.look_as_customer")
    has_suspend_permission = has_activate_permission = _may("igny8_auth.suspend_account")
    has_adjust_permission = _may("igny8_auth.adjust_credits")
    has_goodwill_permission = _may("igny8_auth.give_goodwill")
    has_change_plan_permission = _may("igny8_auth.change_subscription_plan")
    has_end_plan_permission = _may("igny8_auth.end_subscription")
    has_exempt_permission = has_extend_trial_permission = _may("igny8_auth.decide_dunning")
    has_resend_permission = _may("igny8_auth.resend_mail")

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """None: the theme's bar has no room for so many, and its menus cannot be opened by keys."""
        return []

    def buttons_of(self, request: HttpRequest, account: Account) -> list[dict[str, Any]]:
        """The buttons on the page: what this operator may do with the account as it stands now."""
        fitting = _fitting(account, live_subscription_of(account))
        allowed = super().get_actions_detail(request, str(account.pk))  # type: ignore[misc]
        return [
            {
                "title": each.description,
                "icon": each.icon,
                "address": reverse(f"admin:{each.action_name}", args=[account.pk]),
                "is_danger": each.variant == ActionVariant.DANGER,
            }
            for each in allowed
            if each.action_name.removeprefix(f"{MODEL}_") in fitting
        ]

    @button("add_note", "Add a note", "edit_note", NoteDialog)
    def add_note(self, request: HttpRequest, form: NoteDialog, object_id: str) -> HttpResponse:
        """Write a note about the account of the page."""

        def written() -> str:
            said = form.cleaned_data
            add_note(form.account, said["text"], operator_of(request), said["key"])
            return "The note stands on the account's page."

        return decided(request, MODEL, object_id, written)

    @button("look", "Look as the customer", "visibility", LookDialog)
    def look(self, request: HttpRequest, form: LookDialog, object_id: str) -> HttpResponse:
        """Begin to look at the pages as the owner of the page's account."""
        require_confirmed_operator(request)
        try:
            cookie = begin_customer_login(form.account, operator_of(request), form.cleaned_data["reason"])
        except DomainError as refusal:
            messages.warning(request, refusal.text)
            return back_to(request, MODEL, object_id)
        # What this browser was logged in as before.
        if end_customer_login(cookie_of(request), CustomerLoginEnd.REPLACED) is None:
            end_page_session(cookie_of(request))
        response = led_to(request, reverse("home"))
        put_cookie(response, cookie, settings.CUSTOMER_LOGIN_AGE)
        return response

    @button("suspend", "Suspend", "block", SuspendDialog, variant=ActionVariant.DANGER)
    def suspend(self, request: HttpRequest, form: SuspendDialog, object_id: str) -> HttpResponse:
        """Suspend the account of the page."""

        def suspended() -> str:
            suspend_account(form.account, form.cleaned_data["reason"], operator_of(request))
            return f"{form.account} is suspended."

        return _as_read(request, form, object_id, suspended)

    @button("activate", "Activate", "check_circle", ActivateDialog)
    def activate(self, request: HttpRequest, form: ActivateDialog, object_id: str) -> HttpResponse:
        """Lift the suspension of the page's account."""

        def lifted() -> str:
            account = reinstate_account(form.account, form.cleaned_data["reason"], operator_of(request))
            return f"The suspension is lifted. {account} is {account.get_status_display().lower()}."

        return _as_read(request, form, object_id, lifted)

    @button("adjust", "Adjust the balance", "exposure", CreditsDialog)
    def adjust(self, request: HttpRequest, form: CreditsDialog, object_id: str) -> HttpResponse:
        """Adjust the credits of the page's account."""
        said = form.cleaned_data

        def adjusted() -> str:
            by, key = operator_of(request), said["key"].hex
            entry = adjust_credits(form.account, said["amount"], reason=said["reason"], adjusted_by=by, key=key)
            return _changed(entry, f"{said['amount']:+} credits")

        return _as_read(request, form, object_id, adjusted)

    @button("goodwill", "Give goodwill", "redeem", GoodwillDialog)
    def goodwill(self, request: HttpRequest, form: GoodwillDialog, object_id: str) -> HttpResponse:
        """Give the page's account credits that expire."""
        said = form.cleaned_data

        def given() -> str:
            entry = give_goodwill(
                form.account,
                said["amount"],
                last_day=said["until"],
                reason=said["reason"],
                given_by=operator_of(request),
                key=said["key"],
            )
            return _changed(entry, f"{said['amount']} credits until {said['until']}")

        return _as_read(request, form, object_id, given)

    @button("change_plan", "Change the plan", "swap_vert", ChangeDialog)
    def change_plan(self, request: HttpRequest, form: ChangeDialog, object_id: str) -> HttpResponse:
        """Order another plan for the page's account."""
        said = form.cleaned_data

        def changed() -> str:
            return change_for_customer(_sold(form), said["plan_slug"], operator_of(request), said["reason"]).text

        return _as_read(request, form, object_id, changed)

    @button("end_plan", "End the plan", "event_busy", EndDialog, variant=ActionVariant.DANGER)
    def end_plan(self, request: HttpRequest, form: EndDialog, object_id: str) -> HttpResponse:
        """End the subscription of the page's account."""
        said = form.cleaned_data

        def ended() -> str:
            runs_on = end_for_customer(
                _sold(form), operator_of(request), said["reason"], at_period_end=said["at_period_end"]
            ).cancel_at_period_end
            return "The subscription ends with its period." if runs_on else "The subscription has ended."

        return _as_read(request, form, object_id, ended)

    @button("exempt", "Exempt from reminders", "pause_circle", ExemptDialog)
    def exempt(self, request: HttpRequest, form: ExemptDialog, object_id: str) -> HttpResponse:
        """Exempt the page's account from dunning."""
        said = form.cleaned_data

        def exempted() -> str:
            exempt_account(form.account, said["until"], said["reason"], operator_of(request))
            return f"The account is exempt until the end of {said['until']}."

        return _as_read(request, form, object_id, exempted)

    @button("extend_trial", "Extend the trial", "event_repeat", TrialDialog)
    def extend_trial(self, request: HttpRequest, form: TrialDialog, object_id: str) -> HttpResponse:
        """Set another end of the trial of the page's account."""
        said = form.cleaned_data

        def extended() -> str:
            extend_trial(form.account, said["until"], said["reason"], operator_of(request))
            return f"The trial ends with {said['until']}."

        return _as_read(request, form, object_id, extended)

    @button("resend", "Send a mail again", "forward_to_inbox", MailDialog)
    def resend(self, request: HttpRequest, form: MailDialog, object_id: str) -> HttpResponse:
        """Send a mail of the page's account again."""

        def resent() -> str:
            resend_mail(form.mails[form.cleaned_data["mail"]], operator_of(request))
            return "The mail is on its way."

        return decided(request, MODEL, object_id, resent)


def _as_read(request: HttpRequest, form: AccountDialog, object_id: str, decide: Callable[[], str]) -> HttpResponse:
    """Decide, unless the account stands otherwise than when the dialog was opened; then say how it stands now."""
    return decided(request, MODEL, object_id, partial(_decide, form, decide))


def _decide(form: AccountDialog, decide: Callable[[], str]) -> str:
    if form.cleaned_data["read"] != form.stands:
        raise AccountChanged(
            f"Nothing was changed. When you opened the dialog, {form.account} was {form.cleaned_data['read']}; "
            f"now it is {form.stands}. Look at it, then decide again."
        )
    return decide()


def _changed(entry: LedgerEntry, what: str) -> str:
    # Going back in the browser shows the dialog again, and another amount can be typed into it.
    done = "This dialog has changed the balance already, and nothing more was done" if entry.repeated else what
    return f"{done}. The balance is {entry.balance_after}."


def _sold(form: AccountDialog) -> Subscription:
    if form.subscription is None:
        raise AccountChanged("This account has no subscription any more. Nothing was changed.")
    return form.subscription


def _fitting(account: Account, subscription: Subscription | None) -> set[str]:
    if account.deleted_at:
        return {"add_note"}
    fitting = {"add_note", "look", "adjust", "goodwill", "exempt", "resend"}
    if account.status == AccountStatus.TRIAL:
        fitting.add("extend_trial")
    if account.suspended_reason == SuspendedReason.OPERATOR:
        fitting.add("activate")
    if AccountStatus.SUSPENDED in ACCOUNT_TRANSITIONS[account.status]:
        fitting.add("suspend")
    if subscription and subscription.billing_driver == BillingDriver.LOCAL:
        fitting.add("end_plan")
        if subscription.status == SubscriptionStatus.ACTIVE:
            fitting.add("change_plan")
    return fitting
