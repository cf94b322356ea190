"""What the documentation shows works as it is printed: links, the README's workflow, the shell blocks."""

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command, get_commands
from django.urls import resolve
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from igny8_core.auth.management.commands import ensure_demo_operator
from igny8_core.auth.models import ACCOUNT_TRANSITIONS, SUBSCRIPTION_TRANSITIONS, Account, User
from igny8_core.business.billing.gateways import paypal, stripe
from igny8_core.business.billing.models import DISPUTE_TRANSITIONS, INVOICE_TRANSITIONS, Payment, RejectionCode
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.signup.service import Signup, register
from igny8_core.common.api.views import ApiViewSet, NoSuchAddress
from igny8_core.common.checks import api_routes
from igny8_core.common.states import Transitions
from tests import make

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"(?ms)^```.*?^```$")
WORKFLOW = re.compile(r"(?ms)^<!-- workflow: (.+?) -->\n```bash\n(.*?)^```$")
EXPECTATION = re.compile(r"(\.[\w.\[\]]*) == (\"[^\"]*\"|\d+)")
PYTHON_BLOCK = re.compile(r"(?ms)^```python\n(.*?)^```$")
SHELL_PAGES = [ROOT / "docs" / "operating-from-the-shell.md", ROOT / "docs" / "troubleshooting.md"]
# The little of jq that the README uses, for machines that have none.
JQ = f"""#!{sys.executable}
import json, re, sys
raw, path = ("-r" in sys.argv), [part for part in sys.argv[1:] if part != "-r"] or ["."]
value = json.load(sys.stdin)
for name, number in re.findall(r"\\.?(\\w+)|\\[(\\d+)\\]", path[0]):
    value = value[int(number)] if number else value[name]
print(value if raw and isinstance(value, str) else json.dumps(value, indent=2))
"""


def at(path: str, value: Any) -> Any:
    """What a jq path such as `.data[0].id` finds in a value."""
    for name, number in re.findall(r"\.?([a-z_]\w*)|\[(\d+)\]", path):
        value = value[int(number)] if number else value[name]
    return value


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    headings = re.findall(r"(?m)^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_and_image_of_the_documentation_leads_somewhere(document: Path) -> None:
    broken = []
    for link in LINK.findall(FENCE.sub("", document.read_text(encoding="utf-8"))):
        if re.match(r"https?://", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path) if path else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)

    assert broken == []


def test_every_address_of_the_api_in_the_documentation_exists() -> None:
    addresses = {
        address.replace("$INVOICE", "1").replace("$PAYMENT", "1")
        for page in PAGES
        for address in re.findall(r"/api/v1/[\w/$-]+/", re.sub(r"\{\w+\}", "1", page.read_text(encoding="utf-8")))
    }

    assert len(addresses) >= 8
    assert [a for a in addresses if getattr(resolve(a).func, "view_class", None) is NoSuchAddress] == []


def test_every_page_that_the_readme_sends_people_to_exists() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"http://localhost:8011(/[\w/-]*)", text)) | set(re.findall(r"`(/[\w/]+)`", text))

    assert {"/", "/signup", "/home", "/admin/billing/payment/queue/"} <= named
    assert [resolve(page) for page in sorted(named)]
    assert f"`{ensure_demo_operator.EMAIL}` with `{ensure_demo_operator.PASSWORD}`" in text


def test_operators_read_every_reason_for_a_rejection_as_the_customer_does() -> None:
    text = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")

    assert [code for code in RejectionCode if f"| {code.label} | `{code.value}` | " not in text] == []


def test_every_view_of_the_api_is_a_viewset_but_those_that_decision_8_names() -> None:
    views = {getattr(callback, "cls", None) for _, callback in api_routes()}

    assert {view.__name__ for view in views if not issubclass(view, ApiViewSet)} == {
        *("RegisterView", "BeginAccountView", "LoginView", "RefreshView", "LogoutView"),
        *("ConfirmView", "PasswordChangeView", "PasswordResetView", "PasswordResetConfirmView"),
        *("EmailVerifyView", "EmailVerifyResendView"),
        *("StripeWebhookView", "PayPalWebhookView"),
        *("SchemaView", "DocsView", "CodesView", "NoSuchAddress"),
    }


def test_every_management_command_in_the_documentation_exists() -> None:
    named = {
        command for page in PAGES for command in re.findall(r"manage\.py ([a-z_]+)", page.read_text(encoding="utf-8"))
    }

    assert {"check_invariants", "shell"} <= named
    assert named - set(get_commands()) == set()


def test_the_data_model_page_names_every_table() -> None:
    text = (ROOT / "docs" / "data-model.md").read_text(encoding="utf-8")
    tables = {model._meta.db_table for model in apps.get_models() if model.__module__.startswith("igny8_core.")}

    assert len(tables) > 20
    assert {table for table in tables if f"`{table}`" not in text} == set()
    assert set(re.findall(r"`(igny8_\w+)`", text)) - tables <= {"igny8_auth"}


@pytest.mark.parametrize(
    ("heading", "transitions"),
    [
        ("Account:", ACCOUNT_TRANSITIONS),
        ("Subscription:", SUBSCRIPTION_TRANSITIONS),
        ("Invoice:", INVOICE_TRANSITIONS),
        ("A dispute, of which a payment can have several:", DISPUTE_TRANSITIONS),
    ],
)
def test_the_workflow_page_draws_exactly_the_transitions_of_the_code(heading: str, transitions: Transitions) -> None:
    text = (ROOT / "docs" / "workflow.md").read_text(encoding="utf-8")
    diagram = text.split(f"\n{heading}\n")[1].split("```")[1]

    drawn = set(re.findall(r"([a-z_]+) --> ([a-z_]+)", diagram))

    assert drawn == {(str(status), str(target)) for status, targets in transitions.items() for target in targets}


def test_the_webhook_page_names_exactly_the_events_that_are_taken() -> None:
    text = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")
    ticked = text.split("Tick these event types:")[1].split("4. Save")[0]
    named = {name.upper().replace(" ", ".") for name in re.findall(r"`([A-Z][a-z ]+)`", ticked)}

    assert sorted(re.findall(r"enabled_events\[\]=([a-z_.]+)", text)) == sorted(stripe.HANDLERS)
    assert named == {name.replace("_", ".") for name in paypal.HANDLERS}


@pytest.mark.skipif(not shutil.which("curl"), reason="the README's workflow is written with curl, which is not here")
@pytest.mark.django_db(transaction=True)
def test_the_workflow_of_the_readme_gives_the_documented_answers(live_server: LiveServer, tmp_path: Path) -> None:
    call_command("seed_defaults", verbosity=0)
    User.objects.create_superuser("admin@example.com", "adminpass")
    blocks = WORKFLOW.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    # One bash for all of it, as in a terminal: later blocks use the variables of earlier ones.
    script = "\n".join(f"{{\n{code}\n}} > {tmp_path}/answer-{i}" for i, (_, code) in enumerate(blocks))
    programs = tmp_path / "bin"
    programs.mkdir()
    if not shutil.which("jq"):
        (programs / "jq").write_text(JQ)
        (programs / "jq").chmod(0o755)

    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script.replace("http://localhost:8011", live_server.url)],
        env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert len(blocks) == 6
    for i, (expected, code) in enumerate(blocks):
        answer = json.loads((tmp_path / f"answer-{i}").read_text())
        promises = EXPECTATION.findall(expected)
        assert len(promises) == expected.count("==")
        for path, value in promises:
            assert at(path, answer) == json.loads(value), code


@pytest.fixture
def customer(defaults: None) -> Signup:
    """The paying customer of the shell pages, whose confirmation waits, and the demo operator."""
    User.objects.create_superuser("admin@example.com", make.PASSWORD)
    names = {"first_name": "Paid", "last_name": "User", "password": make.PASSWORD}
    billing = {"billing_country": "PK", "billing_email": "billing@test.com"}
    signup = register(
        email="paiduser@test.com", plan_slug="starter", payment_method="bank_transfer", billing=billing, **names
    )
    assert signup.invoice
    PaymentService.create_manual_payment(signup.invoice, "bank_transfer", "BT-20251208-12345")
    return signup


def run_in_shell(page: Path, account: Account) -> list[str]:
    """Run a page's Python blocks in their order, each as its own session; returns what each printed."""
    printed = []
    for block in PYTHON_BLOCK.findall(page.read_text(encoding="utf-8")):
        code = re.sub(r"\b(account_id|id)=2\b", rf"\1={account.pk}", block)
        with contextlib.redirect_stdout(io.StringIO()) as output:
            exec(compile(code, f"{page.name}: {block.strip().splitlines()[0]}", "exec"), {})
        printed.append(output.getvalue())
    return printed


def test_the_shell_session_of_the_documentation_runs_and_shows_what_it_says(customer: Signup) -> None:
    printed = run_in_shell(SHELL_PAGES[0], customer.account)

    assert len(printed) == 9
    assert all(printed)
    everything = "\n".join(printed)
    for line in ("Status: pending_payment", "Credits: 0", "Payment Status: pending_approval", "succeeded 1000 1000"):
        assert line in everything
    assert "1100 False" in everything
    assert Payment.objects.get().status == "succeeded"


def test_the_shell_blocks_of_the_troubleshooting_page_run(customer: Signup) -> None:
    due = make.invoice(customer.account)
    Payment.objects.create(
        account=customer.account,
        invoice=due,
        amount=due.total,
        currency=due.currency,
        payment_method="stripe",
        status="unknown",
        next_check_at=timezone.now(),
    )

    printed = run_in_shell(SHELL_PAGES[1], customer.account)

    assert len(printed) == 3
    assert all(printed)


def test_no_other_page_has_shell_blocks_that_nobody_runs() -> None:
    with_blocks = [page for page in PAGES if PYTHON_BLOCK.search(page.read_text(encoding="utf-8"))]

    assert with_blocks == sorted(SHELL_PAGES)
