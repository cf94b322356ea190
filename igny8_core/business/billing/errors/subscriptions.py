"""What can be refused of plans and subscriptions."""

from igny8_core.common.errors import DomainError


class SubscriptionBilledByStripe(DomainError):
    code = "subscription_billed_by_stripe"
    http_status = 409
    text = "This subscription was made at Stripe and is billed there. Change or cancel it where it was made."


class SubscriptionNotPayable(DomainError):
    code = "subscription_not_payable"
    http_status = 409
    text = (
        "The subscription of this invoice was canceled. Reject the payment and return the money, or have the plan "
        "ordered anew."
    )


class SubscriptionAlreadyLive(DomainError):
    code = "subscription_already_live"
    http_status = 409
    text = "The account has a live subscription already. Change its plan instead."


class NoSubscription(DomainError):
    code = "no_subscription"
    http_status = 409
    text = "The account has no subscription. Order a plan first."


class SubscriptionNotActive(DomainError):
    code = "subscription_not_active"
    http_status = 409
    text = "Only a subscription that is paid and running can change. Pay its open invoice, or cancel it and order anew."


class SubscriptionEnding(DomainError):
    code = "subscription_ending"
    http_status = 409
    text = "The subscription is set to end with its period. Reactivate it first."


class NothingToReactivate(DomainError):
    code = "nothing_to_reactivate"
    http_status = 409
    text = "The subscription runs on: no cancellation or change of plan is scheduled."


class SamePlan(DomainError):
    code = "same_plan"
    http_status = 409
    text = "This is the plan that the account has."


class NotAnUpgrade(DomainError):
    code = "not_an_upgrade"
    http_status = 409
    text = "This plan is not above the present one. Use downgrade: it takes effect at the end of the period."


class NotADowngrade(DomainError):
    code = "not_a_downgrade"
    http_status = 409
    text = "This plan is not below the present one. Use upgrade: it takes effect when its invoice is paid."


class OverLimits(DomainError):
    code = "over_limits"
    http_status = 409
    text = "The account uses more than this plan allows."


class PlanNotOffered(DomainError):
    code = "plan_not_offered"
    http_status = 400
    text = "This plan is not offered."
