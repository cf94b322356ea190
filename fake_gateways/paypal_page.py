"""The page where a payer approves an order. The real PayPal has it at https://www.paypal.com/checkoutnow."""

from html import escape
from urllib.parse import urlencode

from fake_gateways.paypal_checks import money
from fake_gateways.paypal_objects import Order

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Stand-in for PayPal</title><style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }}
body {{ display: grid; min-height: 100vh; margin: 0; place-items: center; background: light-dark(#f2f4f7, #14171c); }}
main {{ box-sizing: border-box; width: min(26rem, 100% - 2rem); padding: 2rem; border-radius: 1rem;
  background: light-dark(#fff, #1f242c); box-shadow: 0 8px 32px rgb(0 0 0 / .12); }}
h1 {{ margin: 0; font-size: 1.1rem; }}
.note {{ margin: .25rem 0 1.5rem; color: light-dark(#5a6472, #a3adba); }}
.amount {{ margin: 0; font-size: 2.25rem; font-weight: 650; font-variant-numeric: tabular-nums; }}
dl {{ display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; margin: 1rem 0 1.5rem; }}
dt {{ color: light-dark(#5a6472, #a3adba); }}
dd {{ margin: 0; overflow-wrap: anywhere; text-align: end; }}
form {{ display: grid; gap: .75rem; }}
button {{ padding: .8rem; border: 0; border-radius: .6rem; font: inherit; font-weight: 600; cursor: pointer; }}
.approve {{ background: #0b5fd0; color: #fff; }}
.cancel {{ background: light-dark(#e6e9ee, #323a45); color: inherit; }}
button:focus-visible {{ outline: 3px solid #e59b1c; outline-offset: 2px; }}
</style></head><body><main>
<h1>Stand-in for PayPal</h1><p class="note">No money moves.</p>
{content}
</main></body></html>"""

ORDER = """<p class="amount">{value} {currency}</p>
<dl><dt>Invoice</dt><dd>{invoice}</dd><dt>Order</dt><dd>{order}</dd><dt>Status</dt><dd>{status}</dd></dl>
{buttons}"""

BUTTONS = """<form method="post">
<button class="approve" name="answer" value="approve">Approve</button>
<button class="cancel" name="answer" value="cancel">Cancel</button>
</form>"""


def page_of(order: Order | None) -> str:
    """The page of an order. It has the buttons Approve and Cancel if the order waits for approval."""
    if order is None:
        return PAGE.format(content="<p>This order is not known.</p>")
    amount = money(order.amount, order.currency)
    content = ORDER.format(
        value=escape(amount["value"]),
        currency=escape(amount["currency_code"]),
        invoice=escape(order.names.get("invoice_id", "none")),
        order=escape(order.id),
        status=escape(order.status.replace("_", " ").lower()),
        buttons=BUTTONS if order.links_for_the_payer("") else "",
    )
    return PAGE.format(content=content)


def address_after(order: Order, *, approved: bool) -> str:
    """The address that PayPal sends the payer to. It is empty if the order does not name one."""
    address = order.context.get("return_url" if approved else "cancel_url", "")
    if not address:
        return ""
    query = {"token": order.id, **({"PayerID": f"PAYER{order.id[:8]}"} if approved else {})}
    return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"
