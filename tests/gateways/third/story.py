"""What the services do with the third gateway, printed as JSON; test_third_gateway.py runs it."""

import json
import sys
from decimal import Decimal
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402

from igny8_core.business.billing.gateways import gateway_of  # noqa: E402
from igny8_core.business.billing.invariants import broken_invariants  # noqa: E402
from igny8_core.business.billing.models import AccountPaymentMethod, Dispute, Payment, Refund  # noqa: E402
from igny8_core.business.billing.services.invoices.pay_links import pay_link  # noqa: E402
from igny8_core.business.billing.services.payment_service import PaymentService  # noqa: E402
from igny8_core.business.billing.services.payments.checkout import pay_invoice  # noqa: E402
from igny8_core.business.billing.services.reconciliation.daily import reconcile  # noqa: E402
from igny8_core.business.billing.services.webhook_inbox.inbox import process_due_messages  # noqa: E402
from igny8_core.events.deliveries import deliver_others  # noqa: E402
from igny8_core.events.models import Delivery  # noqa: E402
from tests import make  # noqa: E402

settings.ALLOWED_HOSTS = ["testserver"]
told: dict[str, Any] = {}
GATEWAY = gateway_of("third")


def tell(kind: str, about: str, secret: str = "secret of third") -> int:
    """The gateway sends a message, and it is processed."""
    message = {"id": f"{kind}-{about}", "type": kind, "about": about}
    address = "/api/v1/billing/webhooks/third/"
    answer = APIClient().post(address, message, format="json", HTTP_THIRD_SECRET=secret)
    process_due_messages()
    return answer.status_code


def now(payment: Payment) -> list[str]:
    payment = Payment.objects.select_related("invoice").get(pk=payment.pk)
    return [payment.status, payment.invoice.status, f"{payment.refunded_amount:.2f}"]


make.payment_method(payment_method="third", display_name="Third")
invoice = make.subscription().invoices.get()
begun = pay_invoice(invoice, "third", save_card=True).attempt
payment = begun.payment
told["begun"] = [payment.status, begun.next_step.value, begun.charge.approve_url.startswith("https://third.example/")]

GATEWAY.approve(payment.gateway_object_id)
told["forged message"] = [tell("paid", payment.gateway_object_id, secret="another"), *now(payment)]
told["paid"] = [tell("paid", payment.gateway_object_id), *now(payment)]

deliver_others()
told["cards kept"] = AccountPaymentMethod.objects.exclude(gateway_method_id="").count()
told["of that told"] = [*Delivery.objects.filter(consumer="saved_cards").values_list("status", flat=True)]
PaymentService.process_refund(payment, Decimal("30.00"))
told["refunded"] = now(payment)
GATEWAY.send_back(payment.gateway_object_id, Decimal("9.00"))
told["refunded there"] = [tell("returned", payment.gateway_object_id), *now(payment)]
told["refunds"] = sorted(f"{refund.amount:.2f} {refund.status}" for refund in Refund.objects.all())

dispute = GATEWAY.dispute_it(payment.gateway_object_id, Decimal("50.00"))
told["disputed"] = [tell("disputed", dispute), *Dispute.objects.values_list("gateway", "status")]

lost = pay_invoice(make.subscription().invoices.get(), "third").attempt.payment
GATEWAY.approve(lost.gateway_object_id)
found = reconcile()
told["reconciled"] = [[each.gateway, each.kind, each.is_healed] for each in found]
told["healed"] = now(lost)

page = APIClient().get(pay_link(pay_invoice(make.subscription().invoices.get(), "third").invoice))
told["page"] = [page.status_code, "Pay with Third" in page.content.decode()]
told["broken invariants"] = broken_invariants()
sys.stdout.write(json.dumps(told))
