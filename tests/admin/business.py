"""Half a year of business with names that people have, for pages that are looked at, and for pictures of them."""

from decimal import Decimal
from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw

from igny8_core.auth.models import Account, AccountNote, Plan, Subscription, User
from igny8_core.business.billing.models import BulkDecision, BulkDecisionRow, Payment, PaymentMethodConfig
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from igny8_core.common import clock
from igny8_core.common.months import months_after
from tests import make

# Name, country, first and last name of the owner, plan, and how many months ago they came.
CUSTOMERS = (
    ("Karachi Content Company", "PK", "Ayesha", "Khan", "growth", 5),
    ("Harbour Street Bakery", "GB", "Tom", "Ellis", "starter", 5),
    ("Nordlicht Verlag", "DE", "Jana", "Petersen", "growth", 4),
    ("Lahore Legal Letters", "PK", "Bilal", "Ahmed", "scale", 3),
    ("Delta Outdoor", "US", "Maria", "Lopez", "starter", 2),
    ("Kampala Crafts", "UG", "Grace", "Nakato", "starter", 1),
    ("Prairie Dental", "US", "Sam", "Okafor", "growth", 0),
)
WAITING = (
    ("Indus Interiors", "PK", "Hira", "Malik", "growth", "HBL-20261129-0713", "Hira Malik"),
    ("Camden Cycles", "GB", "Owen", "Price", "starter", "FP 4471 0029", "O Price"),
    ("Atelier Blum", "DE", "Lena", "Blum", "starter", "SEPA-77120", "Atelier Blum GmbH"),
    ("Punjab Printworks", "PK", "Usman", "Tariq", "scale", "MCB-889201", "Punjab Printworks"),
    ("Ravi Restaurants", "PK", "Sana", "Iqbal", "starter", "MCB 889201", "Sana Iqbal"),
)


def half_a_year(olga: User) -> Account:
    """Customers who paid, some who wait, one refused, one late; gives back the account that has most to show."""
    PaymentMethodConfig.objects.update(is_sample=False)
    for name, country, first, last, plan, ago in CUSTOMERS:
        clock.stand_at(months_after(clock.now(), -ago))
        tenant = _customer(name, country, first, last)
        invoice = _order(tenant, plan).invoices.get()
        payment = make.submitted_payment(invoice, f"TR-{2600 + invoice.pk}", payer_name=f"{first} {last}")
        PaymentService.approve_manual_payment(payment, olga)
        clock.stand_at(None)
    for name, country, first, last, plan, reference, payer in WAITING:
        tenant = _customer(name, country, first, last)
        _confirmed(_order(tenant, plan), reference, payer)
    refused = make.submitted_payment(_order(_customer("Old Mill Books", "GB", "Ann", "Reid"), "starter").invoices.get())
    PaymentService.reject_manual_payment(refused, "We did not find this payment on our bank or wallet statement.", olga)
    late = Subscription.objects.get(account__name="Delta Outdoor")
    Subscription.objects.filter(pk=late.pk).update(status="past_due")
    _decided(olga)
    return _with_much_to_show(olga)


def _customer(name: str, country: str, first: str, last: str) -> Account:
    email = f"{first.lower()}@{name.lower().replace(' ', '-')}.example"
    fields = {"name": name, "billing_country": country, "billing_email": email, "status": "pending_payment"}
    tenant = make.owner(fields, email=email, first_name=first, last_name=last).account
    assert tenant
    return tenant


def _order(tenant: Account, plan: str) -> Subscription:
    return SubscriptionService.create_subscription(tenant, Plan.objects.get(slug=plan), "bank_transfer")


def _confirmed(order: Subscription, reference: str, payer: str) -> None:
    invoice = order.invoices.get()
    proof = make.proof(invoice.account, content=receipt(payer, reference, f"{invoice.total} {invoice.currency}"))
    make.submitted_payment(invoice, reference, payer_name=payer, notes="Sent from our bank this morning.", proof=proof)


def receipt(payer: str, reference: str, amount: str) -> bytes:
    """A picture as a bank's app makes it after a transfer."""
    picture = Image.new("RGB", (360, 480), "white")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, 360, 84), fill="#0f766e")
    draw.text((24, 28), "Transfer sent", fill="white", font_size=24)
    lines = (("Amount", amount), ("To", "igny8"), ("From", payer), ("Reference", reference), ("Status", "Completed"))
    for place, (label, value) in enumerate(lines):
        draw.text((24, 112 + place * 68), label, fill="#6b7280", font_size=15)
        draw.text((24, 134 + place * 68), value, fill="#111827", font_size=21)
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _decided(olga: User) -> None:
    """A report on several payments, one of which somebody else had refused meanwhile."""
    bulk = BulkDecision.objects.create(
        decided_by=olga, decision="approve", note="", status="done", finished_at=clock.now()
    )
    payments: Any = Payment.objects.exclude(status="pending_approval").order_by("-pk")[:6]
    for payment in payments:
        result, outcome = ("refused", "Payment not pending approval") if payment.status == "failed" else ("done", "")
        BulkDecisionRow.objects.create(bulk=bulk, payment=payment, result=result, outcome=outcome)


def _with_much_to_show(olga: User) -> Account:
    tenant = Account.objects.get(name="Karachi Content Company")
    AccountNote.objects.create(account=tenant, author=olga, text="Pays by HBL, always on the 3rd. Ask for Ayesha.")
    make.user(account=tenant, email="omar@karachi-content-company.example", first_name="Omar", last_name="Sheikh")
    make.site(tenant, name="Company blog", domain="karachi-content-company.example")
    make.refund(tenant, "10.00", "Goodwill after the outage of May")
    make.invoice(tenant, line_items=[{"description": "Migration of 40 articles", "amount": Decimal("240.00")}])
    return tenant
