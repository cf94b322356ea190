"""Reads the parameters of a request to Stripe from its form, and checks them against the SDK's types.

Stripe generates `stripe.params` from the description of its API. So a parameter that is missing there is refused here,
as it is at Stripe. Values of an enumeration are checked too, although the SDK's types allow any text.
"""

import re
import sys
import types
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin
from urllib.parse import parse_qsl

import stripe
import typing_extensions
from stripe._request_options import RequestOptions
from typing_extensions import is_typeddict

Object = dict[str, Any]

NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
UNIONS = (Union, types.UnionType)
NO_LONGER = {"payment_method_types": "payment_method_types_no_longer_supported"}
SCALARS: Mapping[object, tuple[str, str]] = {
    int: (r"-?[0-9]{1,18}", "parameter_invalid_integer"),
    bool: (r"true|false", "parameter_invalid_boolean"),
    float: (r"-?[0-9]+(\.[0-9]+)?", "parameter_invalid_number"),
    Decimal: (r"-?[0-9]+(\.[0-9]+)?", "parameter_invalid_number"),
}


class Refusal(Exception):
    """An error answer from Stripe. `extra` is added to the error, such as the PaymentIntent of a declined card."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str = "",
        param: str = "",
        decline_code: str = "",
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        named = {"type": kind, "message": message, "code": code, "param": param, "decline_code": decline_code}
        self.body: Object = {"error": {**{name: value for name, value in named.items() if value}, **(extra or {})}}


class Invalid(Refusal):
    """A refusal before anything was done, so it is not stored for the idempotency key."""


def parsed(form: str) -> Object:
    """Read `a[b][0]=x` as `{"a": {"b": {"0": "x"}}}`. Until it is checked, a list is a dict with positions as keys."""
    found: Object = {}
    for name, value in parse_qsl(form, keep_blank_values=True):
        match = NAME.fullmatch(name)
        if not match:
            raise Invalid(f"Invalid parameter name: {name}", param=name)
        path = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]
        inner = found
        for step in path[:-1]:
            inner = inner.setdefault(step, {})
            if not isinstance(inner, dict):
                raise Invalid(f"Invalid object: {name}", param=name)
        inner[path[-1] or str(len(inner))] = value
    return found


def checked(params: Object, type_name: str) -> Object:
    """The parameters converted to the types of `type_name`, such as "PaymentIntentCreateParams". Raises Invalid."""
    return _object(params, getattr(stripe.params, type_name), "")


def none_of(params: Object) -> Object:
    """No parameters, for a request that takes none. Raises Invalid."""
    for name in params:
        raise Invalid(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
    return params


@lru_cache
def _hints(shape: Any) -> dict[str, Any]:
    scope = {**vars(sys.modules[shape.__module__]), "Mapping": Mapping, "StripeContext": object}
    hints = typing_extensions.get_type_hints(shape, globalns=scope, include_extras=True)
    return {name: hint for name, hint in hints.items() if name not in RequestOptions.__annotations__}


def _object(value: object, shape: Any, path: str) -> Object:
    if not isinstance(value, dict):
        raise Invalid(f"Invalid object: {path}", param=path)
    hints = _hints(shape)
    for name in value:
        if name not in hints:
            inside = _inside(path, name)
            code = NO_LONGER.get(inside, "parameter_unknown")
            raise Invalid(f"Received unknown parameter: {inside}", code=code, param=inside)
    for name in shape.__required_keys__ & hints.keys():
        if name not in value:
            inside = _inside(path, name)
            raise Invalid(f"Missing required param: {inside}.", code="parameter_missing", param=inside)
    return {name: _value(inner, hints[name], _inside(path, name)) for name, inner in value.items()}


def _inside(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name


def _value(value: object, hint: Any, path: str) -> Any:
    origin = get_origin(hint)
    if origin in (NotRequired, Required):
        return _value(value, get_args(hint)[0], path)
    if origin in UNIONS:
        return _one_of(value, get_args(hint), path)
    if origin is list:
        return _list(value, get_args(hint)[0], path)
    if is_typeddict(hint):
        return _object(value, hint, path)
    if origin is Literal:
        return _choice(value, get_args(hint), path)
    if origin is not None:
        return _texts(value, path)
    return _scalar(value, hint, path)


def _one_of(value: object, hints: tuple[Any, ...], path: str) -> Any:
    choices = [choice for hint in hints if get_origin(hint) is Literal for choice in get_args(hint)]
    if value in choices:
        return value
    # The SDK's enumerations also allow any text, for values of later versions. Stripe itself refuses unknown values.
    open_end = (str,) if any(choices) else ()
    fitting = [hint for hint in hints if hint not in open_end and _is_structure(hint) == isinstance(value, dict)]
    for hint in fitting[:-1]:
        try:
            return _value(value, hint, path)
        except Invalid:
            continue
    return _value(value, fitting[-1] if fitting else hints[0], path)


def _is_structure(hint: Any) -> bool:
    return is_typeddict(hint) or get_origin(hint) not in (None, Literal)


def _list(value: object, hint: Any, path: str) -> list[Any]:
    if not isinstance(value, dict) or list(value) != [str(position) for position in range(len(value))]:
        raise Invalid(f"Invalid array: {path}", param=path)
    return [_value(inner, hint, f"{path}[{position}]") for position, inner in value.items()]


def _choice(value: object, choices: tuple[object, ...], path: str) -> object:
    if value not in choices:
        raise Invalid(f"Invalid {path}: must be one of {', '.join(map(str, choices))}", param=path)
    return value


def _texts(value: object, path: str) -> dict[str, str]:
    """Pairs of text with any names, such as metadata."""
    if not isinstance(value, dict) or not all(isinstance(inner, str) for inner in value.values()):
        raise Invalid(f"Invalid object: {path}", param=path)
    if len(value) > 50 or any(len(name) > 40 or len(inner) > 500 for name, inner in value.items()):
        raise Invalid("Metadata has at most 50 keys of 40 characters and values of 500.", param=path)
    return value


def _scalar(value: object, hint: Any, path: str) -> Any:
    pattern, code = SCALARS.get(hint, ("(?s).*", "parameter_invalid_string"))
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise Invalid(f"Invalid value: {path}", code=code, param=path)
    if hint is bool:
        return value == "true"
    return int(value) if hint is int else value
