"""Signs up, logs in, confirms the payment and reads the invoice with the client that openapi-python-client makes.

python sign_up.py http://localhost:8011 paula@example.com 'long and unusual 7'
"""

import json
import sys
from typing import Any

from igny_8_core_api_client import AuthenticatedClient, Client
from igny_8_core_api_client.api.auth import login, register
from igny_8_core_api_client.api.billing import confirm_payment, download_invoice, retrieve_invoice
from igny_8_core_api_client.models import (
    ConfirmInputRequest,
    ErrorEnvelope,
    LoginInputRequest,
    ManualMethodEnum,
    PaymentMethodTypeEnum,
    RegisterInputRequest,
)


def answered(answer: Any) -> Any:
    """The data of an answer; ends the program with the sentence of a refusal."""
    if answer is None or isinstance(answer, ErrorEnvelope):
        sys.exit(f"{answer.code}: {answer.message}" if answer else "an answer that the description does not have")
    return answer.data


server, email, password = sys.argv[1:]
stranger = Client(base_url=server)
signup = answered(
    register.sync(
        client=stranger,
        body=RegisterInputRequest(
            email=email,
            password=password,
            password_confirm=password,
            first_name="Paula",
            last_name="Khan",
            plan_slug="starter",
            payment_method=PaymentMethodTypeEnum.BANK_TRANSFER,
            billing_country="PK",
        ),
    )
)
session = answered(login.sync(client=stranger, body=LoginInputRequest(email=email, password=password)))
customer = AuthenticatedClient(base_url=server, token=session.token)
confirmation = answered(
    confirm_payment.sync(
        client=customer,
        body=ConfirmInputRequest(
            invoice_id=signup.invoice.id,
            payment_method=ManualMethodEnum.BANK_TRANSFER,
            amount=signup.invoice.total,
            manual_reference="BT-20261208-12345",
        ),
    )
)
invoice = answered(retrieve_invoice.sync(signup.invoice.id, client=customer))
pdf = download_invoice.sync_detailed(invoice.id, client=customer)
print(
    json.dumps(
        {
            "number": invoice.invoice_number,
            "total": invoice.total,
            "confirmation": confirmation.status,
            "pdf": pdf.content[:5].decode(),
        }
    )
)
