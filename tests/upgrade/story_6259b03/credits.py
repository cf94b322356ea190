"""Credits: bought, spent, given, taken, expired."""

from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.business.billing.services.purchase_service import PurchaseService
from story_6259b03.stage import Stage

from igny8_core.auth.models import Site


def packages(stage: Stage) -> None:
    """Bought by every method, with days to expiry and without, in two currencies; before the packages are edited."""
    stage.at("01-20 09:00")
    _buy(stage, "bank", "pro", "bank_transfer")
    stage.paid_by_bank("bank", "Credits 1")
    _buy(stage, "card", "sprint", "stripe")
    stage.paid_by_card("card")
    _buy(stage, "paypal", "business", "paypal")
    stage.paid_by_paypal("paypal")
    _buy(stage, "yen", "yen", "bank_transfer")
    stage.paid_by_bank("yen", "円 1")
    # Never paid.
    _buy(stage, "wallet", "starter", "local_wallet")
    stage.at("01-21 09:00")
    _use(stage, "doubled", "image_generation", 7, site_id=Site.objects.get(name="Milk").pk)
    _use(stage, "doubled", "content_generation", 40)
    _use(stage, "card", "idea_generation", 9)
    _use(stage, "bank", "keyword_clustering", 12)
    _use(stage, "trial", "content_rewrite", 950)


def by_hand(stage: Stage) -> None:
    """Adjustments of operators, both ways."""
    stage.at("02-10 09:00")
    for word, amount, reason in (
        ("trial", 250, "Goodwill"),
        ("card", -40, "Granted twice by mistake"),
        ("hoarding", 5000, "Contest"),
        ("upgraded", -100, "Agreed on the phone"),
    ):
        CreditService.adjust(stage.account(word), amount, reason=reason, adjusted_by=stage.operator, key=f"{word} 1")
    _use(stage, "hoarding", "image_generation", 100)


def after_the_edits(stage: Stage) -> None:
    """The same packages as they are now; one order stays open."""
    stage.at("03-13 09:00")
    _buy(stage, "heirloom", "pro", "bank_transfer")
    stage.paid_by_bank("heirloom", "Credits 2")
    _buy(stage, "later", "enterprise", "stripe")
    stage.paid_by_card("later")
    _use(stage, "later", "translation", 30)


def last_orders(stage: Stage) -> None:
    """Ordered and confirmed when the story ends."""
    stage.at("06-29 09:00")
    _buy(stage, "ordered", "starter", "bank_transfer")
    _buy(stage, "annual", "business", "bank_transfer")
    stage.confirm("annual", "Credits to be checked")
    _use(stage, "annual", "optimization", 5)


def _buy(stage: Stage, word: str, package: str, method: str) -> None:
    PurchaseService.buy_credits(stage.account(word), package, method, stage.owner(word))


def _use(stage: Stage, word: str, operation: str, quantity: int, site_id: int | None = None) -> None:
    CreditService.use(stage.account(word), operation, quantity, user=stage.owner(word), key=operation, site_id=site_id)
