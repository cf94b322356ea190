"""The quick forms of credits/usage/ say what the serializers say, and leave to these whatever they refuse."""

from typing import Any

from hypothesis import event, example, given
from hypothesis import strategies as st

from igny8_core.business.billing.api.credit_serializers import MAX_QUANTITY, UsageInput, UsageOutput
from igny8_core.business.billing.api.quick_usage import quick_operation, quick_usage
from igny8_core.business.billing.services.credits.granting import LedgerEntry
from igny8_core.business.billing.services.credits.spending import Usage
from igny8_core.common.api.fields import MAX_ID

NUMBERS = (
    st.integers() | st.sampled_from([0, 1, MAX_QUANTITY, MAX_QUANTITY + 1, MAX_ID, MAX_ID + 1]) | st.integers(1, 9)
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.floats(allow_nan=False) | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.text("abz019_-", max_size=52) | st.text(" aA\n\u00e9\u0301\u200b\u0660", max_size=52) | JSON
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "operation_type": NAMES,
        "quantity": NUMBERS | JSON,
        "site": NUMBERS | JSON,
        "metadata": st.dictionaries(st.text(max_size=5), JSON, max_size=3) | JSON,
        "key": JSON,
    },
)


def by_serializer(body: Any) -> dict[str, Any] | None:
    """What the plain form makes of a body, or None where it refuses it."""
    serializer = UsageInput(data=body)
    return dict(serializer.validated_data) if serializer.is_valid() else None


@given(BODIES | st.dictionaries(st.text(max_size=14), JSON, max_size=4))
@example({"operation_type": "article", "quantity": 1})
@example({"operation_type": "article\n", "quantity": 1})
@example({"operation_type": "a" * 50, "quantity": MAX_QUANTITY, "site": MAX_ID, "metadata": {}})
@example({"operation_type": "article", "quantity": True, "site": True})
@example({"operation_type": "article", "quantity": 1, "site": None})
@example({"operation_type": "article", "quantity": 1, "metadata": None})
@example({"operation_type": "article", "quantity": 1, "metadata": {"a": {"b": {"c": {"d": {}}}}}})
@example({"operation_type": "article", "quantity": 1, "metadata": {"a": "\u202e"}})
@example({"operation_type": "article", "quantity": 1, "metadata": {"a": "x" * 4096}})
def test_what_the_quick_form_takes_the_serializer_takes_as_the_same(body: dict[str, Any]) -> None:
    quick = quick_operation(body)

    event("quick" if quick is not None else "left to the serializer")
    if quick is not None:
        assert quick == by_serializer(body)
        assert {type(quick[name]) for name in ("quantity", "site") if name in quick} == {int}


@given(
    st.text("abcxyz019_-", min_size=1, max_size=50),
    st.integers(1, MAX_QUANTITY),
    st.none() | st.integers(1, MAX_ID),
    st.none() | st.dictionaries(st.text("ab", max_size=5), st.integers() | st.text("cd"), max_size=3),
)
def test_the_quick_form_takes_what_programs_send(name: str, quantity: int, site: int | None, metadata: Any) -> None:
    given = {"operation_type": name, "quantity": quantity, "site": site, "metadata": metadata}
    body = {key: value for key, value in given.items() if value is not None}

    assert quick_operation(body) == by_serializer(body) == body


@given(*[st.integers(1, MAX_ID)] * 4, st.text(min_size=1))
def test_the_quick_answer_is_the_serializer_s(entry: int, balance: int, quantity: int, cost: int, name: str) -> None:
    usage = Usage(LedgerEntry(entry, balance), name, quantity, cost)

    assert list(quick_usage(usage).items()) == list(dict(UsageOutput(usage).data).items())
