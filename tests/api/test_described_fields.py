"""The API's description says of each field and parameter what it means, and which words it can have."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings

from igny8_core.common.api.descriptions import FIELDS, PARAMETERS
from tests.contract import description

Schema = dict[str, Any]
METHODS = {"get", "post", "put", "patch", "delete"}
# Fields of these names whose words are no closed set. Event types: an app declares new ones at any time.
OPEN_SETS = {("ActivityOutput", "type"), ("OperatorEventOutput", "type")}


def operations() -> Iterator[Schema]:
    for item in description()["paths"].values():
        yield from (operation for method, operation in item.items() if method in METHODS)


def fields() -> Iterator[tuple[str, str, Schema]]:
    """Every field of every schema, with the name of the component or operation that it stands in."""
    for name, schema in description()["components"]["schemas"].items():
        yield from fields_of(name, schema)
    for operation in operations():
        parts = [operation.get("requestBody", {}), *operation["responses"].values()]
        for part in parts:
            for media in part.get("content", {}).values():
                yield from fields_of(operation["operationId"], media["schema"])


def fields_of(place: str, schema: Schema) -> Iterator[tuple[str, str, Schema]]:
    for name, field in schema.get("properties", {}).items():
        yield place, name, field
        yield from fields_of(f"{place}.{name}", field)
    for key in ("oneOf", "anyOf"):
        for part in schema.get(key, ()):
            yield from fields_of(place, part)
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from fields_of(place, schema[key])


def words_of(schema: Schema) -> list[str]:
    """The closed set of words that a schema allows, empty where it is open."""
    components = description()["components"]["schemas"]
    if "$ref" in schema:
        return words_of(components[schema["$ref"].rpartition("/")[2]])
    parts = [part for key in ("oneOf", "anyOf", "allOf") for part in schema.get(key, ())]
    found = [word for part in parts for word in words_of(part)]
    return [str(word) for word in schema.get("enum", ())] or found


def columns_with_choices() -> dict[str, list[set[str]]]:
    """By the name of a column: the words of each table's column of this name."""
    found: dict[str, list[set[str]]] = {}
    for model in apps.get_models():
        if model.__module__.startswith("igny8_core."):
            for column in model._meta.concrete_fields:
                if column.choices:
                    found.setdefault(column.name, []).append({str(word) for word, _ in column.flatchoices})
    return found


# --- Descriptions ---------------------------------------------------------------------------------------------------


def says_something(text: str, name: str) -> bool:
    said = re.findall(r"[a-z0-9]+", text.lower())
    return len(said) > 1 and set(said) - set(name.lower().split("_")) - {"the", "a", "an", "of", "its"} != set()


def test_each_field_says_what_it_means() -> None:
    seen = list(fields())

    assert len(seen) > 700
    # The code of a refusal is said once, in ErrorEnvelope.
    bare = [
        f"{place}.{name}"
        for place, name, field in seen
        if not says_something(text_of(field), name) and not is_code_of_refusal(name, field)
    ]
    assert bare == []


def text_of(field: Schema) -> str:
    """The field's own description, or that of the part which it is."""
    part = description()["components"]["schemas"].get(field.get("$ref", "").rpartition("/")[2], {})
    return str(field.get("description") or part.get("description", ""))


def is_code_of_refusal(name: str, field: Schema) -> bool:
    return name == "code" and "enum" in field


def test_each_parameter_says_what_it_means() -> None:
    parameters = [
        (operation["operationId"], parameter)
        for operation in operations()
        for parameter in operation.get("parameters", ())
    ]

    assert len(parameters) > 100
    assert [
        f"{name} {parameter['name']}"
        for name, parameter in parameters
        if not says_something(parameter.get("description", ""), parameter["name"])
    ] == []


def test_no_sentence_is_kept_that_nothing_uses() -> None:
    texts = {field.get("description") for _, _, field in fields()}
    said = {parameter["description"] for operation in operations() for parameter in operation.get("parameters", ())}

    # apidoc adds what a field is that was left out.
    assert {text for text in FIELDS.values() if not any(shown and shown.startswith(text) for shown in texts)} == set()
    assert set(PARAMETERS.values()) - said == set()


@pytest.mark.parametrize("text", ["", "Status", "status", "The status", "Its status."])
def test_a_name_is_no_description(text: str) -> None:
    assert not says_something(text, "status")


# --- Closed sets of words -------------------------------------------------------------------------------------------


def test_a_field_of_an_answer_whose_column_has_choices_names_them() -> None:
    columns = columns_with_choices()
    known = {frozenset(words) for sets in columns.values() for words in sets}
    answers = [
        (place, name, field)
        for place, name, field in fields()
        if place.endswith("Output") and (name in columns or re.fullmatch("[a-z]+_status", name))
    ]

    assert len(answers) > 40
    for place, name, field in answers:
        if (place, name) not in OPEN_SETS:
            words = set(words_of(field)) - {""}
            own = columns.get(name, known)
            assert words in [set(choices) for choices in own] or words in STATES, f"{place}.{name}: {field}"


# Not of a column: an invitation's state follows from its times.
STATES = [{"open", "expired", "accepted", "canceled"}]


def test_each_set_of_words_has_one_name_that_the_settings_say() -> None:
    schemas = description()["components"]["schemas"]
    sets = {name: frozenset(map(str, schema["enum"])) for name, schema in schemas.items() if "enum" in schema}
    names = settings.SPECTACULAR_SETTINGS["ENUM_NAME_OVERRIDES"]

    assert sets.keys() - {"BlankEnum"} == names.keys()
    assert len(set(sets.values())) == len(sets)
    for operation in operations():
        for parameter in operation.get("parameters", ()):
            assert frozenset(parameter["schema"].get("enum", ())) not in set(sets.values()), operation["operationId"]


# --- What stumbles generators of clients ----------------------------------------------------------------------------


def test_each_operation_has_a_name_of_its_own() -> None:
    names = [operation["operationId"] for operation in operations()]
    assert len(set(names)) == len(names)


def test_a_default_is_one_of_the_words() -> None:
    for place, name, field in fields():
        words = words_of(field)
        if words and "default" in field:
            assert field["default"] in words, f"{place}.{name}"


def test_whole_numbers_that_can_be_ids_are_said_to_have_64_bits() -> None:
    for place, name, field in fields():
        if field.get("type") == "integer" and (name == "id" or name.endswith("_id")):
            assert field.get("format") == "int64", f"{place}.{name}"
