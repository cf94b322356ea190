"""Events in the form that Stripe used in API version 2022-11-15."""

from copy import deepcopy

from fake_gateways.stripe_parameters import Object
from fake_gateways.stripe_store import Store

OLD_VERSION = "2022-11-15"


def in_old_shape(event: Object, store: Store) -> Object:
    """The event with its values in the places of before 2025. `store` is used to find the payment of an invoice."""
    event = deepcopy(event)
    event["api_version"] = OLD_VERSION
    thing = event["data"]["object"]
    if thing["object"] == "subscription":
        _age_subscription(thing)
    elif thing["object"] == "invoice":
        _age_invoice(thing, store)
    elif thing["object"] == "payment_intent":
        thing["invoice"] = None
    elif thing["object"] == "charge":
        thing["invoice"] = None
        thing["refunds"] = {"object": "list", "data": []}
    return event


def _age_subscription(subscription: Object) -> None:
    item = subscription["items"]["data"][0]
    for name in ("current_period_start", "current_period_end"):
        subscription[name] = item.pop(name)
    subscription["plan"] = item["plan"] = {"id": item["price"]["id"], "object": "plan"}
    # In that version the customer portal set both this flag and the date.
    subscription["cancel_at_period_end"] = subscription["cancel_at"] is not None


def _age_invoice(invoice: Object, store: Store) -> None:
    details = invoice.pop("parent")["subscription_details"]
    invoice["subscription"] = details["subscription"]
    invoice["paid"] = invoice["status"] == "paid"
    payments = [payment for payment in store.all("invoice_payment") if payment["invoice"] == invoice["id"]]
    intent = store.one(payments[0]["payment"]["payment_intent"]) if payments else None
    invoice["payment_intent"] = intent["id"] if intent else None
    invoice["charge"] = intent["latest_charge"] if intent else None
    for line in invoice["lines"]["data"]:
        parent = line.pop("parent")["subscription_item_details"]
        line.pop("pricing")
        line.update(type="subscription", proration=parent["proration"], subscription=parent["subscription"])
