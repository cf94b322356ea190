"""Signing up and paying the first invoice, in every way that there is; and people and sites around it."""

from igny8_core.auth.services.account_service import AccountService
from igny8_core.auth.services.invitation_service import InvitationService, NewPerson, invitation_token
from igny8_core.auth.services.membership_service import MembershipService
from igny8_core.auth.services.site_service import SiteService
from igny8_core.auth.services.user_service import UserService
from igny8_core.business.billing.services.card_service import CardService
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.proof_service import ProofService
from igny8_core.business.billing.services.saved_method_service import SavedMethodService
from story_6259b03.pictures import red_square
from story_6259b03.stage import PASSWORD, Stage

from igny8_core.auth.models import Industry, Role, Site, TeamInvitation


def first_customers(stage: Stage) -> None:
    """Trials, orders that nobody pays, and payments by bank and wallet."""
    stage.at("01-06 09:00")
    stage.sign_up("Trial Tannery")
    stage.sign_up("Waiting Weavers", "starter", "bank_transfer", "GB")
    stage.sign_up(
        "Bank Bakery",
        "starter",
        "bank_transfer",
        billing_email="books@example.com",
        billing_address_line1="1 Sample Street",
        billing_city="Springfield",
        billing_postal_code="00000",
        tax_id="US-000",
    )
    stage.sign_up("Wallet Wagons", "pakistan", "local_wallet", "PK", billing_city="Karachi")
    stage.sign_up("Rejected Roofers", "starter", "bank_transfer", "DE")
    stage.sign_up("Doubled Dairy", "growth", "bank_transfer")
    stage.sign_up("Hoarding Hats", "hoard", "bank_transfer")
    stage.sign_up("Legacy Looms", "legacy", "bank_transfer")
    stage.sign_up("Lasting Lace", "legacy", "bank_transfer")
    # Never pays for a plan that has another name and price in the end.
    stage.sign_up("Lingering Lutes", "legacy", "bank_transfer")
    stage.at("01-07 10:00")
    proof = ProofService.upload(stage.account("bank"), stage.owner("bank"), red_square())
    stage.confirm("bank", "TRX-100 200", proof=proof, notes="Paid on Tuesday")
    stage.confirm("wallet", "jc 5551234", "local_wallet")
    stage.confirm("rejected", "SEPA 1", proof_url="https://files.example.com/proof.png")
    # The same reference, written differently: flagged.
    stage.confirm("doubled", "trx100200")
    for word, reference in (("hoarding", "H-1"), ("legacy", "L-1"), ("lasting", "L-2")):
        stage.paid_by_bank(word, reference)
    stage.at("01-08 11:00")
    stage.approve("bank", admin_notes="Seen on the statement of 8 January")
    stage.approve("wallet")
    PaymentService.reject_manual_payment(stage.payment("rejected"), "No such transfer", stage.operator)
    stage.approve("doubled", override_duplicate=True, admin_notes="Two transfers of one bank run")
    stage.at("01-09 12:00")
    stage.confirm("rejected", "SEPA 2")
    stage.approve("rejected")


def people_and_sites(stage: Stage) -> None:
    """Members, invitations in every state, sites and who may work on them."""
    stage.at("01-12 09:00")
    doubled, owner = stage.account("doubled"), stage.owner("doubled")
    shops = [
        SiteService.create_site(doubled, owner, name=name, industry=Industry.objects.get(slug=slug), domain=domain)
        for name, slug, domain in (("Milk", "food", "milk.example.com"), ("Cheese", "retail", ""), ("Curd", "food", ""))
    ]
    SiteService.update_site(shops[1], owner, status="inactive")
    SiteService.delete_site(shops[2], owner)
    editor = _joined(stage, "editor@example.com", Role.EDITOR, shops[0])
    viewer = _joined(stage, "viewer@example.com", Role.VIEWER, shops[0])
    leaver = _joined(stage, "leaver@example.com", Role.EDITOR, shops[1])
    MembershipService.change_role(doubled, editor, Role.ADMIN, owner)
    SiteService.grant_access(shops[1], viewer, owner)
    SiteService.revoke_access(shops[0], viewer, owner)
    MembershipService.remove_member(doubled, leaver, owner)
    withdrawn = InvitationService.invite(doubled, owner, email="withdrawn@example.com", role=Role.VIEWER, site_ids=[])
    InvitationService.cancel(doubled, withdrawn.pk, owner)
    # Nobody takes it up; it runs out.
    InvitationService.invite(doubled, owner, email="late@example.com", role=Role.VIEWER, site_ids=[shops[0].pk])
    SiteService.create_site(
        stage.account("trial"), stage.owner("trial"), name="Hides", industry=Industry.objects.get(slug="fashion")
    )
    UserService.update_profile(owner, first_name="Dora")
    AccountService.update_settings(
        stage.account("wallet"), stage.owner("wallet"), timezone="Asia/Karachi", tax_id="7-1"
    )
    AccountService.update_settings(stage.account("bank"), stage.owner("bank"), billing_city="Shelbyville")


def _joined(stage: Stage, email: str, role: Role, site: Site) -> int:
    invitation = InvitationService.invite(
        stage.account("doubled"), stage.owner("doubled"), email=email, role=role, site_ids=[site.pk]
    )
    found = TeamInvitation.objects.get(pk=invitation.pk)
    return InvitationService.accept(invitation_token(found), None, NewPerson(PASSWORD, "Ed", "Member")).pk


def payers_at_gateways(stage: Stage) -> None:
    """Cards and PayPal: paid, declined, asked for by the bank, saved for later."""
    stage.at("01-15 09:00")
    for name, plan, method, country in (
        ("Card Cafe", "starter", "stripe", "US"),
        ("Paypal Potters", "growth", "paypal", "US"),
        ("Declined Dyers", "starter", "stripe", "US"),
        ("Yen Yachts", "japan", "stripe", "JP"),
        ("Saving Saddles", "starter", "stripe", "GB"),
    ):
        stage.sign_up(name, plan, method, country)
    stage.paid_by_card("card")
    stage.stripe_tells("payment_intent.succeeded")
    stage.paid_by_paypal("paypal")
    stage.paypal_tells("PAYMENT.CAPTURE.COMPLETED")
    stage.declined("declined", "pm_card_chargeCustomerFail")
    stage.paid_by_card("yen", "pm_card_mastercard")
    # With the customer away, and the bank wants them.
    stage.declined("saving", "pm_card_authenticationRequired", off_session=True)
    asked = stage.payment("saving")
    assert asked.status == "failed"
    stage.paid_by_card("saving")
    ways_to_pay_again(stage)


def ways_to_pay_again(stage: Stage) -> None:
    """Saved cards and methods: begun, kept, made the default, removed, gone at Stripe."""
    account, owner = stage.account("saving"), stage.owner("saving")
    cards = []
    for card in ("pm_card_visa", "pm_card_mastercard", "pm_card_amex"):
        setup = CardService.begin(account, owner)
        stage.stripe.complete_setup(setup.setup_id, card)
        cards.append(CardService.finish(stage.account("saving"), setup.setup_id, owner))
    # Left in the middle.
    CardService.begin(account, owner)
    bank = SavedMethodService.add(account, "bank_transfer", "Our bank", owner)
    SavedMethodService.make_default(account, cards[1].pk, owner)
    SavedMethodService.remove(account, cards[0].pk, owner)
    SavedMethodService.disable_card(cards[2].stripe_payment_method_id)
    assert not bank.is_default
