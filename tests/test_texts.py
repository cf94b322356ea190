"""Every text that people read is marked, and translated into every language (docs/languages.md)."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.template.base import Lexer, TokenType

sys.path.insert(0, str(Path(__file__).parent.parent / "bin"))
import texts

LETTERS = re.compile(r"[^\W\d_]{2,}")
# What stands in templates and is said the same in every language.
SAME_EVERYWHERE = {"UTC", "PDF"}
# Mails to operators, who read English.
FOR_OPERATORS = re.compile(
    r"emails/(manual_payment_submitted|operator_invitation|payee_changed|signups_stopped|payments_undecided|books_broken)\."
)
# Blocks that fill an attribute.
NO_TEXT = {"block body_class"}
NOT_READ = re.compile(r"<(script|style)\b.*?</\1>|<!--.*?-->|<[^>]*>", re.DOTALL)
SAID_ATTRIBUTES = re.compile(r'\b(?:aria-label|alt|title|placeholder|content)="([^"{%]*[^\W\d_]{3,}[^"{%]*)"')
TECHNICAL = re.compile(r"^(width=device-width.*|light dark|no(index|follow).*|#?[\w.-]+)$")
DEVELOPERS = {"GatewayMisconfigured", "BadSignature", "SignatureUncheckable"}


def unmarked_of_template(source: str) -> list[str]:
    """The words of a template that stand outside of translate and blocktranslate."""
    kept, is_inside = [], False
    for token in Lexer(source).tokenize():
        if token.token_type == TokenType.BLOCK:
            word = "blocktranslate" if token.contents in NO_TEXT else token.split_contents()[0]
            is_inside = word == "blocktranslate" or (is_inside and not word.startswith("endblock"))
            kept.append("\0")
        elif token.token_type == TokenType.TEXT and not is_inside:
            kept.append(token.contents)
        elif token.token_type == TokenType.VAR:
            kept.append("\1")
    whole = "".join(kept)
    said = NOT_READ.sub("\0", whole)
    attributes = [text for text in SAID_ATTRIBUTES.findall(whole) if not TECHNICAL.match(text)]
    words = [part.strip("\1 \n\t:,.·()-–—×") for part in re.split("\0|\1", said)]
    return [word for word in [*words, *attributes] if _is_said(word)]


def _is_said(word: str) -> bool:
    is_path = word.startswith("/") and " " not in word
    return bool(LETTERS.search(word)) and not is_path and word not in SAME_EVERYWHERE


@pytest.mark.parametrize(
    "offender",
    [
        "<p>Pay now</p>",
        "{% if due %}Pay now{% endif %}",
        "{{ name }} pays",
        '<img alt="The logo of us">',
        "{% blocktranslate %}Pay{% endblocktranslate %} now",
    ],
)
def test_an_unmarked_word_of_a_template_is_found(offender: str) -> None:
    assert unmarked_of_template(offender)


def test_marked_templates_pass() -> None:
    assert not unmarked_of_template('{% load i18n %}<p class="wide">{% translate "Pay now" %}: {{ amount }} · UTC</p>')


def test_every_word_of_a_template_is_marked() -> None:
    found = {
        path.relative_to(texts.ROOT).as_posix(): words
        for path in texts.templates()
        if not FOR_OPERATORS.search(path.as_posix()) and (words := unmarked_of_template(path.read_text()))
    }
    assert found == {}


def test_days_and_months_of_templates_are_written_by_the_language() -> None:
    """Django's date filter puts English's order of words into German."""
    offenders = [
        path.name
        for path in texts.templates()
        if not FOR_OPERATORS.search(path.as_posix()) and re.search(r'\|date:"[^"]*[FMDlN]', path.read_text())
    ]
    assert offenders == []


def unmarked_of_module(source: str, errors: set[str]) -> list[str]:
    """The sentences of a module that a person is refused with, and that gettext does not know of."""
    return [ast.unparse(node) for node in _sentences(ast.parse(source), errors)]


def _sentences(tree: ast.Module, errors: set[str]) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and _is_error(node):
            yield from (
                statement.value
                for statement in node.body
                if isinstance(statement, ast.Assign)
                and _name(statement.targets[0]) == "text"
                and _is_bare(statement.value)
            )
        if isinstance(node, ast.Call) and _name(node.func) in errors:
            said = [
                *node.args,
                *(word.value for word in node.keywords if word.arg in (None, "text", "errors", "detail")),
            ]
            yield from (part for value in said for part in _parts(value) if _is_bare(part))


def _parts(value: ast.expr) -> Iterator[ast.expr]:
    """The texts of an argument: also those in lists, in a dictionary's values, and in both branches of a condition."""
    match value:
        case ast.Dict():
            yield from (part for inner in value.values for part in _parts(inner))
        case ast.List() | ast.Tuple():
            yield from (part for inner in value.elts for part in _parts(inner))
        case ast.IfExp():
            yield from (*_parts(value.body), *_parts(value.orelse))
        case ast.ListComp() | ast.GeneratorExp():
            yield from _parts(value.elt)
        case ast.DictComp():
            yield from _parts(value.value)
        case _:
            yield value


def _is_bare(value: ast.expr) -> bool:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return bool(re.search(r"[A-Za-z]{2,}[ .]", value.value))
    return isinstance(value, ast.JoinedStr) and any(
        isinstance(part, ast.Constant) and LETTERS.search(str(part.value)) for part in value.values
    )


def _is_error(node: ast.ClassDef) -> bool:
    return any(isinstance(each, ast.Assign) and _name(each.targets[0]) == "http_status" for each in node.body)


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _modules() -> dict[str, str]:
    return {
        path.relative_to(texts.ROOT).as_posix(): path.read_text()
        for path in texts.sources()
        if path.suffix == ".py" and not re.search(r"/(models|settings)/", path.as_posix())
    }


def _errors(modules: dict[str, str]) -> set[str]:
    known = {"ValidationError", "AuthenticationFailed", "PermissionDenied", "NotAuthenticated"}
    for source in modules.values():
        known |= {
            node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef) and _is_error(node)
        }
    return known - DEVELOPERS


@pytest.mark.parametrize(
    "offender",
    [
        'raise InvalidInput("Nothing fits.")',
        'raise InvalidInput(f"{count} do not fit.")',
        'raise InvalidInput(errors={"name": ["Give a name."]})',
        'raise serializers.ValidationError({"name": ["Too long."] if long else [_("Fine.")]})',
        'class Late(DomainError):\n    http_status = 409\n    text = "It is too late."',
    ],
)
def test_an_unmarked_refusal_is_found(offender: str) -> None:
    assert unmarked_of_module(offender, {"InvalidInput", "ValidationError"})


def test_every_refusal_is_marked() -> None:
    modules = _modules()
    errors = _errors(modules)
    found = {name: said for name, source in modules.items() if (said := unmarked_of_module(source, errors))}
    # Read by operators alone: whose mail has no address.
    found.pop("igny8_core/business/billing/services/notifications/mails.py", None)
    assert found == {}


# Where customers' texts are written. The console, the descriptions of the API and the catalogs are read in English.
CUSTOMERS = re.compile(
    r"^igny8_core/(web|business/(signup|account_deletion)|auth/(services|api)|business/billing/(services|api|\w+\.py$))"
)
# Parts of these that operators and developers alone read: reasons for a review, what differs at a gateway, reports.
OPERATORS = re.compile(
    r"billing/services/(reconciliation/|stripe_billing/|collection/outcomes|payment_states/stranded|payments/as_read"
    r"|dunning/|renewals/price_changes|notifications/(gateway|payee)_mails|invoices/epc_code|subscriptions/decisions"
    r"|refunds/gateway_refunds|credits/goodwill)|billing/(default_data|event_types|\w*invariants|apps)\.py|auth/services/(accounts|mails)\.py"
)
MARKS = {"_", "gettext", "gettext_lazy", "gettext_noop", "pgettext", "pgettext_lazy", "ngettext", "ngettext_lazy"}
# What these are given is read by developers, in the log or as a program's end.
FOR_DEVELOPERS = {"RuntimeError", "ValueError", "TypeError", "PreparedStatement", "extend_schema", "OpenApiParameter"}
FOR_DEVELOPERS |= {"OpenApiResponse", "OpenApiExample", "NotAllWritten", *DEVELOPERS}
# Words of the console and of the API's description that stand among customers' texts, by how they begin.
KNOWN = (
    *("How many days to look ahead", "A picture (PNG, JPEG", "Line x: x", "Due and unpaid", "Small letters, digits"),
    *("Expected a whole number of credits other than 0", "Payment to review: ", "A dispute is lost, but the payment"),
    *("Dispute x is about x", "Account x", "Invoice x", "Deleted account x", 'Bearer realm="api"'),
)
SAYS = re.compile(r"[A-Z][a-z']*( [\w%(){}'\",.:;-]+)+$|[A-Z][a-z]+\.$")


def unmarked_sayings(source: str) -> list[str]:
    """Texts of a module that read like something that is said to a person, and that gettext does not know of."""
    return [said for said in _sayings(ast.parse(source)) if not said.startswith(KNOWN)]


def _sayings(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant | ast.JoinedStr):
        parts = node.values if isinstance(node, ast.JoinedStr) else [node]
        said = "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in parts)
        if SAYS.match(said):
            yield said
    elif not _is_for_developers(node):
        for inner in ast.iter_child_nodes(node):
            yield from _sayings(inner)


def _is_for_developers(node: ast.AST) -> bool:
    match node:
        case ast.Call():
            return _name(node.func) in MARKS | FOR_DEVELOPERS or ast.unparse(node.func).startswith("logger.")
        case ast.Expr():
            return isinstance(node.value, ast.Constant)
    return isinstance(node, ast.keyword) and node.arg in {"help_text", "description", "summary", "sql"}


@pytest.mark.parametrize(
    "offender",
    [
        'subject = f"Payment of {number} is overdue"',
        'messages.success(request, "The plan was changed.")',
        'LABELS = {"team": "Your team"}',
        'Choice("late", label="Late and unpaid")',
    ],
)
def test_an_unmarked_saying_is_found(offender: str) -> None:
    assert unmarked_sayings(offender)


def test_marked_sayings_and_what_only_developers_read_pass() -> None:
    source = """
def told():
    \"\"\"What is told.\"\"\"
    logger.info("Nothing was told.")
    raise RuntimeError("Call it with a name.")
SUBJECT = _("Invoice %(number)s is overdue") % {"number": 1}
"""
    assert unmarked_sayings(source) == []


def test_every_saying_to_customers_is_marked() -> None:
    """Subjects of mails, messages after an action, labels, choices."""
    modules = {
        name: source for name, source in _modules().items() if CUSTOMERS.match(name) and not OPERATORS.search(name)
    }
    found = {name: said for name, source in modules.items() if (said := unmarked_sayings(source))}
    assert len(modules) > 100
    assert found == {}


@pytest.fixture(scope="module")
def marked() -> dict[tuple[object, str | None], set[str]]:
    return {(each.id, each.context): _placeholders(each.id) for each in texts.extracted() if each.id}


def _placeholders(text: object) -> set[str]:
    plural = text[1] if isinstance(text, tuple) else text
    return texts.placeholders(str(plural)) | set(re.findall(r"\{\w+\}|%%\d", str(plural)))


def test_there_are_catalogs_of_all_languages(settings: object) -> None:
    codes = [code for code, _name in settings.LANGUAGES]  # type: ignore[attr-defined]
    assert sorted(codes) == sorted(["en", *texts.languages()])


@pytest.mark.parametrize("language", texts.languages())
def test_every_text_is_translated(language: str, marked: dict[tuple[object, str | None], set[str]]) -> None:
    catalog = texts.catalog_of(language)
    assert texts.missing(catalog) == [], "Translate them, then run bin/texts.py."
    told = {(each.id, each.context): each.string for each in catalog if each.id}
    assert told.keys() == marked.keys(), "Run bin/texts.py."
    wrong = {
        each: told[each]
        for each, names in marked.items()
        for one in (told[each] if isinstance(told[each], tuple) else (told[each],))
        if _placeholders(one) != names
    }
    assert wrong == {}


@pytest.mark.parametrize("language", texts.languages())
def test_what_is_served_is_made_of_the_catalog(language: str) -> None:
    stored = (texts.LOCALE / language / "LC_MESSAGES" / "django.mo").read_bytes()
    assert stored == texts.compiled(language), "Run bin/texts.py."


def test_pieces_of_urdu_sentences_stand_apart() -> None:
    """Numbers and names in a text from right to left: between isolates, or in a <bdi>."""
    mixed = re.compile(r"(?<![\u2068>\"`/+])%\(\w+\)[sd](?![\u2069])")
    offenders = [each.id for each in texts.catalog_of("ur") if each.id and mixed.search(_outside_of_tags(each.string))]
    assert offenders == []


def _outside_of_tags(told: object) -> str:
    whole = " ".join(told) if isinstance(told, tuple) else str(told)
    return re.sub(r"<[^>]*>", ">", whole)
