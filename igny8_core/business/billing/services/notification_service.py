from igny8_core.business.billing.models import Invoice
from igny8_core.events.models import Event

HANDLERS: dict = {}


def handle(event: Event) -> None: ...


def send_invoice(invoice: Invoice) -> None: ...
