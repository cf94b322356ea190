"""The page where a customer chooses a card. With the real Stripe, Stripe.js shows a form for that."""

from html import escape
from urllib.parse import urlencode, urlsplit

from fake_gateways.stripe_parameters import Object

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Stand-in for Stripe</title><style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }}
body {{ display: grid; min-height: 100vh; margin: 0; place-items: center; background: light-dark(#f4f5f8, #14161b); }}
main {{ box-sizing: border-box; width: min(27rem, 100% - 2rem); margin: 1rem 0; padding: 2rem; border-radius: 1rem;
  background: light-dark(#fff, #1f232b); box-shadow: 0 8px 32px rgb(0 0 0 / .12); }}
h1 {{ margin: 0; font-size: 1.5rem; font-variant-numeric: tabular-nums; }}
p {{ margin: .25rem 0 1.25rem; color: light-dark(#566070, #a6b0bd); overflow-wrap: anywhere; }}
.stand-in {{ margin: -2rem -2rem 1.5rem; padding: .6rem 2rem; border-radius: 1rem 1rem 0 0; font-size: .875rem;
  background: light-dark(#fff3d6, #4a3a10); color: light-dark(#6b4b00, #ffe3a1); }}
.error {{ padding: .6rem .8rem; border-radius: .5rem; background: light-dark(#fde8e6, #4d1f1b);
  color: light-dark(#8f1d12, #ffc9c2); }}
fieldset {{ display: grid; gap: .5rem; margin: 0 0 1.25rem; padding: 0; border: 0; }}
legend {{ margin-bottom: .5rem; font-weight: 600; }}
label {{ display: flex; gap: .7rem; align-items: center; padding: .65rem .8rem; border-radius: .6rem; cursor: pointer;
  border: 1px solid light-dark(#d5dae2, #3b434f); }}
label:has(:checked) {{ border-color: #5b50e6; box-shadow: 0 0 0 1px #5b50e6; }}
label span {{ margin-inline-start: auto; font-variant-numeric: tabular-nums; color: light-dark(#566070, #a6b0bd); }}
.buttons {{ display: flex; gap: .75rem; }}
button, .button {{ flex: 1; padding: .8rem; border: 0; border-radius: .6rem; font: inherit; font-weight: 600;
  text-align: center; text-decoration: none; cursor: pointer; background: #5b50e6; color: #fff; }}
.second {{ background: light-dark(#e7eaef, #333a45); color: inherit; }}
:focus-visible {{ outline: 3px solid #e59b1c; outline-offset: 2px; }}
</style></head><body><main>
<p class="stand-in">This is a stand-in for Stripe; no money moves.</p>
{content}
</main></body></html>"""

CHOICES = (
    ("pm_card_visa", "Visa that works", "4242"),
    ("pm_card_chargeDeclined", "Declined by the bank", "0002"),
    ("pm_card_chargeDeclinedInsufficientFunds", "Not enough money", "9995"),
    ("pm_card_authenticationRequired", "Asks for 3-D Secure", "3184"),
)
CHOICE = '<label><input type="radio" name="card" value="{name}"{checked}>{text}<span>•••• {last4}</span></label>'
SAVING = "<p>The card is saved, and charged for renewals.</p>"
CARDS = """<h1>{title}</h1><p>{text}</p>{saving}{error}<form method="post"><fieldset><legend>Test card</legend>
{choices}</fieldset><div class="buttons"><button>{button}</button></div></form>"""
BANK = """<h1>Your bank asks: is it you?</h1><p>{text}</p><form method="post" class="buttons">
<button name="answer" value="approve">Approve</button>
<button name="answer" value="refuse" class="second">Refuse</button></form>"""
DONE = """<h1>{title}</h1><p>{text}</p>{back}"""

ZERO_DECIMALS = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
THREE_DECIMALS = frozenset("bhd jod kwd omr tnd".split())


def page_of(thing: Object | None, return_url: str) -> str:
    """The page for a PaymentIntent or SetupIntent. It shows a choice of cards, the bank's question, or the result."""
    if thing is None:
        return PAGE.format(content=DONE.format(title="Not known", text="No payment has this secret.", back=""))
    text = escape(thing.get("description") or thing["id"])
    if thing["status"] == "requires_action":
        return PAGE.format(content=BANK.format(text=text))
    if thing["status"] not in {"requires_payment_method", "requires_confirmation"}:
        back = f'<div class="buttons"><a class="button" href="{escape(return_url)}">Go back</a></div>'
        title = f"This is {thing['status'].replace('_', ' ')}."
        return PAGE.format(content=DONE.format(title=escape(title), text=text, back=back if return_url else ""))
    saves = thing["object"] == "setup_intent"
    error = thing["last_setup_error" if saves else "last_payment_error"]
    choices = "\n".join(
        CHOICE.format(name=name, text=label, last4=last4, checked=" checked" if not index else "")
        for index, (name, label, last4) in enumerate(CHOICES)
    )
    return PAGE.format(
        content=CARDS.format(
            title="Save a card" if saves else f"Pay {_amount(thing['amount'], thing['currency'])}",
            text=text,
            saving=SAVING if not saves and thing["setup_future_usage"] else "",
            error=f'<p class="error" role="alert">{escape(error["message"])}</p>' if error else "",
            choices=choices,
            button="Save" if saves else "Pay",
        )
    )


def address_after(thing: Object, return_url: str) -> str:
    """The address that Stripe.js sends the customer to at the end. It is empty if it is not http or https."""
    if urlsplit(return_url).scheme not in {"http", "https"}:
        return ""
    kind = thing["object"]
    named = {kind: thing["id"], f"{kind}_client_secret": thing["client_secret"], "redirect_status": thing["status"]}
    return f"{return_url}{'&' if '?' in return_url else '?'}{urlencode(named)}"


def _amount(units: int, currency: str) -> str:
    decimals = 0 if currency in ZERO_DECIMALS else 3 if currency in THREE_DECIMALS else 2
    whole, part = divmod(units, 10**decimals)
    return f"{whole}.{part:0{decimals}d} {currency.upper()}" if decimals else f"{whole} {currency.upper()}"
