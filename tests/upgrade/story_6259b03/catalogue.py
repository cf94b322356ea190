"""What operators offer: the defaults, plans and packages in other currencies and cycles, and edits of what was sold."""

from django.core.management import call_command
from igny8_core.business.billing.services.credit_cost_service import CreditCostService
from igny8_core.business.billing.services.payment_method_config_service import PaymentMethodConfigService
from story_6259b03.stage import Stage

from igny8_core.auth.models import Plan
from igny8_core.business.billing.models import CreditPackage, PaymentMethodConfig


def open_shop(stage: Stage) -> None:
    """The defaults, and what the operators add to them before the first customer comes."""
    stage.at("01-05 08:00")
    call_command("seed_defaults", verbosity=0)
    for plan in (
        _plan("Growth a year", "growth-annual", "1390.00", 24000, billing_cycle="annual"),
        _plan("Scale a year", "scale-annual", "2290.00", 48000, billing_cycle="annual", max_sites=10),
        _plan("Pakistan", "pakistan", "24999.00", 1500, currency="PKR"),
        _plan("Japan", "japan", "9800", 1200, currency="JPY"),
        _plan("Legacy", "legacy", "59.00", 700),
        _plan("Hoard", "hoard", "99.00", 1100, credits_rollover=True),
        _plan("Pro at Stripe", "pro", "49.00", 3000, stripe_price_id="price_pro"),
    ):
        stage.add_in_console(Plan, **plan)
    for package in (
        _package("Sprint Pack", "sprint", 300, "6.00", valid_days=30),
        _package("Yen Pack", "yen", 400, "1500", currency="JPY", discount_percentage=5),
    ):
        stage.add_in_console(CreditPackage, **package)
    PaymentMethodConfigService.configure(
        stage.operator, country_code="JP", payment_method="bank_transfer", display_name="振込", bank_name="Sample Ginko"
    )


def _plan(name: str, slug: str, price: str, credits: int, **more: object) -> dict[str, object]:
    limits = {"max_sites": 3, "max_users": 5, "sort_order": 9, "features": "[]"}
    return {"name": name, "slug": slug, "price": price, "included_credits": credits, **limits, **more}


def _package(name: str, slug: str, credits: int, price: str, **more: object) -> dict[str, object]:
    return {"name": name, "slug": slug, "credits": credits, "price": price, "sort_order": 9, **more}


def edit_what_was_sold(stage: Stage) -> None:
    """Prices, names and details change after customers bought; what they bought does not."""
    stage.at("02-20 09:00")
    legacy = Plan.objects.get(slug="legacy")
    stage.edit_in_console(legacy, name="Heritage", slug="heritage", price="69.00", included_credits="650")
    stage.edit_in_console(Plan.objects.get(slug="starter"), price="95.00", max_sites="2")
    stage.edit_in_console(Plan.objects.get(slug="hoard"), is_public=None)
    pro = CreditPackage.objects.get(slug="pro")
    stage.edit_in_console(pro, credits="1800", price="31.00", valid_days="365")
    stage.edit_in_console(CreditPackage.objects.get(slug="sprint"), is_active=None, slug="sprint-2026")
    _edit_ways_to_pay(stage)
    cost = CreditCostService.create(
        stage.operator, operation_type="translation", display_name="Translation", credits_per_unit=4, unit="page"
    )
    CreditCostService.update(cost, stage.operator, credits_per_unit=3)


def _edit_ways_to_pay(stage: Stage) -> None:
    offered = PaymentMethodConfig.objects.all()
    bank = offered.get(country_code="*", payment_method="bank_transfer")
    PaymentMethodConfigService.update(
        bank, stage.operator, bank_name="XYZ Bank", account_number="0987654321", instructions="Bank: XYZ Bank"
    )
    nigeria = offered.get(country_code="NG")
    PaymentMethodConfigService.update(nigeria, stage.operator, is_enabled=False)
    PaymentMethodConfigService.remove(offered.get(country_code="BD"), stage.operator)
    stage.delete_in_console(offered.get(country_code="KE"))
