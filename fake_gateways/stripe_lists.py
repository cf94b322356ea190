"""Reading objects of the stand-in: a single one or a page, with expanded ids on request."""

from collections.abc import Callable
from copy import deepcopy

from fake_gateways.stripe_faults import Faults
from fake_gateways.stripe_parameters import Invalid, Object


class Lists(Faults):
    """The part of the stand-in that answers GET."""

    def retrieve(self, kind: str, object_id: str, params: Object) -> Object:
        """GET /v1/{kind}s/{id}"""
        return self._existing(kind, object_id)

    def list_payment_intents(self, params: Object) -> Object:
        """GET /v1/payment_intents"""
        return self._page("payment_intent", params, lambda thing: _fits(thing, params, "customer"))

    def list_refunds(self, params: Object) -> Object:
        """GET /v1/refunds"""
        return self._page("refund", params, lambda thing: _fits(thing, params, "payment_intent", "charge"))

    def list_disputes(self, params: Object) -> Object:
        """GET /v1/disputes"""
        return self._page("dispute", params, lambda thing: _fits(thing, params, "payment_intent", "charge"))

    def list_invoice_payments(self, params: Object) -> Object:
        """GET /v1/invoice_payments"""
        paid_with = params.get("payment", {}).get("payment_intent")
        return self._page(
            "invoice_payment",
            params,
            lambda thing: (
                _fits(thing, params, "invoice", "status") and paid_with in (None, thing["payment"]["payment_intent"])
            ),
        )

    def list_customer_cards(self, customer_id: str, params: Object) -> Object:
        """GET /v1/customers/{id}/payment_methods"""
        self._existing("customer", customer_id)
        asked = {**params, "customer": customer_id}
        page = self._page("payment_method", asked, lambda thing: _fits(thing, asked, "customer", "type"))
        return {**page, "url": f"/v1/customers/{customer_id}/payment_methods"}

    def _page(self, kind: str, params: Object, is_wanted: Callable[[Object], bool]) -> Object:
        """A page of objects, newest first: those after `starting_after`, at most `limit`."""
        found = [thing for thing in self._objects.values() if thing["object"] == kind and is_wanted(thing)][::-1]
        limit = params.get("limit", 10)
        if not 1 <= limit <= 100:
            raise Invalid("Limit can range between 1 and 100.", param="limit")
        ids = [thing["id"] for thing in found]
        start = ids.index(params["starting_after"]) + 1 if "starting_after" in params else 0
        page = found[start : start + limit]
        return {"object": "list", "url": f"/v1/{kind}s", "has_more": len(found) > start + limit, "data": page}

    def expanded(self, thing: Object, paths: list[str]) -> Object:
        """A copy of the object in which the ids at `paths` are replaced by full objects."""
        thing = deepcopy(thing)
        for path in paths:
            self._expand(thing, path.split("."), path)
        return thing

    def _expand(self, thing: Object, names: list[str], path: str) -> None:
        if names[0] == "data":
            for row in thing["data"]:
                self._expand(row, names[1:], path)
            return
        if names[0] not in thing:
            raise Invalid(f"This property cannot be expanded ({path}).", param="expand")
        value = thing[names[0]]
        if isinstance(value, str) and value not in self._objects:
            raise Invalid(f"This property cannot be expanded ({path}).", param="expand")
        if isinstance(value, str):
            thing[names[0]] = deepcopy(self._objects[value])
        if thing[names[0]] is not None and names[1:]:
            self._expand(thing[names[0]], names[1:], path)


def _fits(thing: Object, params: Object, *names: str) -> bool:
    """Whether an object has the values in `params` and was created in the time that `params` name."""
    created = params.get("created", {})
    limits = created if isinstance(created, dict) else {"gte": created, "lte": created}
    at = thing["created"]
    in_time = (
        at >= limits.get("gte", at)
        and at <= limits.get("lte", at)
        and at > limits.get("gt", at - 1)
        and at < limits.get("lt", at + 1)
    )
    return in_time and all(thing[name] == params[name] for name in names if name in params)
