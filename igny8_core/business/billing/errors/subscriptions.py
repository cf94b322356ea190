"""Errors about plans and subscriptions."""

from igny8_core.common.errors import DomainError
from igny8_core.common.marks import gettext_noop


class SubscriptionBilledByStripe(DomainError):
    code = "subscription_billed_by_stripe"
    http_status = 409
    text = gettext_noop("This subscription was created at Stripe and is billed there. Change or cancel it there.")


class SubscriptionNotPayable(DomainError):
    code = "subscription_not_payable"
    http_status = 409
    text = gettext_noop(
        "The subscription of this invoice was canceled. Reject the payment and return the money, or ask the customer "
        "to order the plan again."
    )


class SubscriptionAlreadyLive(DomainError):
    code = "subscription_already_live"
    http_status = 409
    text = gettext_noop("The account already has a subscription. Change its plan instead.")


class NoSubscription(DomainError):
    code = "no_subscription"
    http_status = 409
    text = gettext_noop("The account has no subscription. Order a plan first.")


class SubscriptionNotActive(DomainError):
    code = "subscription_not_active"
    http_status = 409
    text = gettext_noop(
        "The subscription is not active, so its plan cannot change. Pay its open invoice, or cancel it and order again."
    )


class SubscriptionEnding(DomainError):
    code = "subscription_ending"
    http_status = 409
    text = gettext_noop("The subscription is set to end with its current period. Reactivate it first.")


class NothingToReactivate(DomainError):
    code = "nothing_to_reactivate"
    http_status = 409
    text = gettext_noop(
        "There is nothing to reactivate: no cancellation or downgrade of the subscription is scheduled."
    )


class SamePlan(DomainError):
    code = "same_plan"
    http_status = 409
    text = gettext_noop("The account already has this plan. Choose another one.")


class NotAnUpgrade(DomainError):
    code = "not_an_upgrade"
    http_status = 409
    text = gettext_noop(
        "This plan is not larger than the current one. Use downgrade: it takes effect at the end of the period."
    )


class NotADowngrade(DomainError):
    code = "not_a_downgrade"
    http_status = 409
    text = gettext_noop(
        "This plan is not smaller than the current one. Use upgrade: it takes effect when its invoice is paid."
    )


class OverLimits(DomainError):
    code = "over_limits"
    http_status = 409
    text = gettext_noop("The account uses more than this plan allows. Remove sites or users first.")


class PlanNotOffered(DomainError):
    code = "plan_not_offered"
    http_status = 400
    text = gettext_noop("This plan is not offered. GET /api/v1/auth/plans/ lists the plans that are.")


class SubscriptionLapsed(DomainError):
    code = "subscription_lapsed"
    http_status = 409
    text = gettext_noop(
        "The paid period of this subscription is over. Order a plan again: the new order replaces this subscription."
    )


class RenewalPaid(DomainError):
    code = "renewal_paid"
    http_status = 409
    text = gettext_noop("The next period is already paid. Change the plan once it has begun.")


class RenewalNotRetryable(DomainError):
    code = "renewal_not_retryable"
    http_status = 409
    text = gettext_noop("This renewal is paid or withdrawn, or its subscription has ended. There is nothing to retry.")


class PriceChangeInForce(DomainError):
    code = "price_change_in_force"
    http_status = 409
    text = gettext_noop(
        "A period was invoiced at this price, or its day has come. Order another change of price instead."
    )


class PriceChangeWithdrawn(DomainError):
    code = "price_change_withdrawn"
    http_status = 409
    text = gettext_noop("This change of price was withdrawn already.")


class ChangeBelowZero(DomainError):
    code = "change_below_zero"
    http_status = 409
    text = gettext_noop(
        "The unused time of the current plan is worth as much as the new plan costs, or more. Wait for the end of the "
        "period, or choose another plan."
    )


class PlanChangeOutdated(DomainError):
    code = "plan_change_outdated"
    http_status = 409
    text = gettext_noop("The price of this change of plan has changed since it was ordered. Order the change again.")


class PriceMoved(DomainError):
    code = "price_moved"
    http_status = 409
    text = gettext_noop(
        "The price has changed since you saw it. Nothing was changed. Look at the new price, then decide again."
    )


class PlanChangePeriodOver(DomainError):
    code = "plan_change_period_over"
    http_status = 409
    text = gettext_noop(
        "This change of plan was for a period that is over, so it cannot begin any more. Money that was paid for it "
        "is given back. Order a plan again."
    )


class NotAPlanChange(DomainError):
    code = "not_a_plan_change"
    http_status = 409
    text = gettext_noop("This payment is not for a change of plan. Approve or reject it instead.")
