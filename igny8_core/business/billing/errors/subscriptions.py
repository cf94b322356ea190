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


class SubscriptionLapsed(DomainError):
    code = "subscription_lapsed"
    http_status = 409
    text = "The paid period of this subscription is over. Order a plan anew: that ends this one."


class ChangeBelowZero(DomainError):
    code = "change_below_zero"
    http_status = 409
    text = (
        "What is left of the present plan is worth as much as the new one costs, or more. Wait for the end of the "
        "period, or choose another plan."
    )


class PlanChangeOutdated(DomainError):
    code = "plan_change_outdated"
    http_status = 409
    text = "This change of plan costs another amount now than when it was ordered. Order it again."


class PlanChangePeriodOver(DomainError):
    code = "plan_change_period_over"
    http_status = 409
    text = (
        "The period in which this change of plan was to begin is over, so there is nothing left to sell. Money that "
        "was paid for it goes back; a plan can be ordered anew."
    )


class NotAPlanChange(DomainError):
    code = "not_a_plan_change"
    http_status = 409
    text = "This payment is not for a change of plan. Approve or reject it."
