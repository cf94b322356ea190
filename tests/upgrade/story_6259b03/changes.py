"""Changes of plan, cancellations and coming back, each in the states that they can be in."""

from igny8_core.auth.services.account_service import AccountService
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from story_6259b03.stage import Stage

from igny8_core.auth.models import Plan


def changes_of_plan(stage: Stage) -> None:
    """Upgrades that are paid, within a cycle and to a longer one, also of a plan that is another one since."""
    stage.at("02-02 09:00")
    for name, plan in (
        ("Upgraded Unions", "starter"),
        ("Swift Sails", "starter"),
        ("Yearly Yards", "starter"),
        ("Smaller Smiths", "scale"),
        ("Leaving Lamps", "growth"),
        ("Gone Gardens", "starter"),
        ("Returned Rivers", "starter"),
        ("Wavering Wools", "growth"),
        ("Undecided Urns", "starter"),
    ):
        stage.sign_up(name, plan, "bank_transfer")
        stage.paid_by_bank(name.split()[0].lower(), f"First {name}")
    stage.at("02-09 09:00")
    _upgrade(stage, "upgraded", "growth")
    stage.paid_by_bank("upgraded", "Upgrade 1")
    _upgrade(stage, "swift", "scale")
    stage.paid_by_card("swift")
    _upgrade(stage, "yearly", "growth-annual")
    stage.paid_by_bank("yearly", "Year 1")
    _downgrade(stage, "smaller", "starter")
    # Ordered twice: the first order is void; then another one again, which nobody pays before the period is over.
    _upgrade(stage, "undecided", "growth")
    _upgrade(stage, "undecided", "scale")


def ends(stage: Stage) -> None:
    """Cancellations: with the period, at once, before anything was paid; and taken back."""
    stage.at("02-12 09:00")
    _cancel(stage, "leaving")
    _cancel(stage, "gone", cancel_at_period_end=False)
    _cancel(stage, "returned", cancel_at_period_end=False)
    _cancel(stage, "wavering")
    SubscriptionService.reactivate_subscription(stage.subscription("wavering"), "", stage.owner("wavering"))
    _cancel(stage, "waiting", cancel_at_period_end=False)


def come_back(stage: Stage) -> None:
    """Ordered anew after the end."""
    stage.at("02-25 09:00")
    SubscriptionService.reactivate_subscription(
        stage.subscription("returned"), "bank_transfer", stage.owner("returned")
    )
    stage.paid_by_bank("returned", "Back again")


def changes_after_edits(stage: Stage) -> None:
    """What was sold under another name and price is the measure of what is left of it."""
    stage.at("03-03 09:00")
    for name, plan in (("Heirloom Herbs", "heritage"), ("Later Leaves", "starter")):
        stage.sign_up(name, plan, "bank_transfer")
        stage.paid_by_bank(name.split()[0].lower(), f"First {name}")
    heritage = Plan.objects.get(slug="heritage")
    stage.edit_in_console(heritage, price="79.00")
    stage.at("03-12 15:30")
    _upgrade(stage, "heirloom", "growth")
    stage.paid_by_bank("heirloom", "Up from what was sold")
    # Sold for 95.00, dearer since.
    stage.edit_in_console(Plan.objects.get(slug="starter"), price="99.00")
    _upgrade(stage, "later", "scale")
    stage.paid_by_paypal("later")
    # The plan that was moved to is renamed as well.
    stage.edit_in_console(Plan.objects.get(slug="scale"), slug="scale-2026", name="Scale 2026")


def operators_and_accounts(stage: Stage) -> None:
    """Suspended and let go again by an operator."""
    stage.at("03-16 09:00")
    AccountService.suspend(stage.account("wavering"), "Spam was reported", stage.operator)
    AccountService.suspend(stage.account("upgraded"), "A mistake", stage.operator)
    AccountService.reinstate(stage.account("upgraded"), "It was a mistake", stage.deputy)


def changes_under_way(stage: Stage) -> None:
    """Scheduled and ordered, and not yet come about, when the story ends."""
    stage.at("06-15 09:00")
    for name, plan in (
        ("Ordered Orchards", "starter"),
        ("Shrinking Shops", "growth"),
        ("Ending Edges", "growth"),
        ("Checking Cherries", "starter"),
        ("Annual Anvils", "scale-annual"),
    ):
        stage.sign_up(name, plan, "bank_transfer")
        stage.paid_by_bank(name.split()[0].lower(), f"First {name}")
    stage.at("06-22 09:00")
    _upgrade(stage, "ordered", "growth")
    _downgrade(stage, "shrinking", "starter")
    _cancel(stage, "ending")
    _upgrade(stage, "checking", "growth-annual")
    stage.confirm("checking", "Upgrade to be checked")
    _downgrade(stage, "annual", "growth-annual")


def _upgrade(stage: Stage, word: str, plan: str) -> None:
    SubscriptionService.upgrade_subscription(stage.subscription(word), Plan.objects.get(slug=plan), stage.owner(word))


def _downgrade(stage: Stage, word: str, plan: str) -> None:
    SubscriptionService.downgrade_subscription(stage.subscription(word), Plan.objects.get(slug=plan), stage.owner(word))


def _cancel(stage: Stage, word: str, *, cancel_at_period_end: bool = True) -> None:
    SubscriptionService.cancel_subscription(
        stage.subscription(word), cancel_at_period_end=cancel_at_period_end, canceled_by=stage.owner(word)
    )
