"""Credits for use in a shell. Each call forwards to the function in credits/ that does the work."""

from igny8_core.business.billing.services.credits import granting, spending


class CreditService:
    """Grant, spend, adjust and expire credits, and take them back after a refund."""

    grant = staticmethod(granting.grant_credits)
    spend = staticmethod(spending.spend_credits)
    use = staticmethod(spending.use_credits)
    adjust = staticmethod(granting.adjust_credits)
    take_back = staticmethod(granting.take_back_credits)
    expire = staticmethod(granting.expire_credits)
    expire_due = staticmethod(granting.expire_due_credits)
