"""Stock generators make a whole client from the API's description, without a warning, and the client works.

Each of the two programs beside this file signs up, logs in, confirms its payment and reads the invoice.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.core.management import call_command
from pytest_django.live_server_helper import LiveServer
from rest_framework.test import APIClient

from igny8_core.auth.models import User
from igny8_core.auth.services.sessions import open_session
from igny8_core.business.billing.models import Invoice, Payment
from igny8_core.common.api.openapi import operations
from tests import make
from tests.billing.test_pdf_service import needs_pango
from tests.contract import description

HERE = Path(__file__).resolve().parent
VAR = Path(os.environ.get("IGNY8_VAR") or HERE.parent.parent / "var")
EMAIL = "paula@example.com"
PATIENCE = 300  # seconds

pytestmark = [pytest.mark.django_db(transaction=True)]
with_node = pytest.mark.skipif(
    not shutil.which("npm"), reason="the client in TypeScript is made and run by Node.js, which is not installed here"
)


def run(*command: str | Path, cwd: Path) -> str:
    """What a program printed on both streams; fails the test with it when the program does."""
    # The generators look for ruff and node in the PATH.
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, "PATH": path, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture
def site(live_server: LiveServer) -> str:
    """The address of a running site with its default plans and payment methods."""
    call_command("seed_defaults", verbosity=0)
    return live_server.url


@pytest.fixture
def document(tmp_path: Path, site: str, olga: User) -> Path:
    """The whole description, as an operator fetches it."""
    client = APIClient(headers={"Authorization": f"Bearer {open_session(olga).access}"})
    response = client.get("/api/schema/")
    assert json.loads(response.content) == description()
    path = tmp_path / "schema.json"
    path.write_bytes(response.content)
    return path


@pytest.fixture
def typescript(document: Path, tmp_path: Path) -> Path:
    """A folder with the program, the packages of package-lock.json, and types made without a warning."""
    for name in ("package.json", "tsconfig.json", "sign_up.ts"):
        shutil.copy(HERE / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(packages())
    # Not api.d.ts: what is in declarations is not checked, as they are other people's.
    said = run("node_modules/.bin/openapi-typescript", document, "-o", "api.ts", cwd=tmp_path)
    # A greeting with the version, and what was made in how long: a warning would be a line of its own.
    assert len(said.strip().splitlines()) == 2, said
    return tmp_path


def packages() -> Path:
    """The packages of package-lock.json: installed by the first run, and found there by all later ones."""
    lock = HERE / "package-lock.json"
    kept = VAR / "packages-of-tests" / hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    kept.parent.mkdir(parents=True, exist_ok=True)
    if not kept.is_dir():
        with TemporaryDirectory(dir=kept.parent) as name:
            folder = Path(name, "new")
            folder.mkdir()
            for file in (HERE / "package.json", lock):
                shutil.copy(file, folder)
            run("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", cwd=folder)
            # Whole or not at all, also when it is interrupted. Another run may have been first.
            with suppress(OSError):
                folder.rename(kept)
    return kept / "node_modules"


def require_confirmed(printed: str) -> None:
    """What the program read is what the site knows."""
    payment = Payment.objects.get()
    invoice = Invoice.objects.get()
    assert (payment.invoice, payment.status, invoice.account.users.get().email) == (invoice, "pending_approval", EMAIL)
    assert json.loads(printed) == {
        "number": invoice.invoice_number,
        "total": "89.00",
        "confirmation": "pending_approval",
        "pdf": "%PDF-",
    }


@needs_pango
def test_a_client_of_openapi_python_client_signs_up_confirms_and_reads_its_invoice(
    document: Path, site: str, tmp_path: Path
) -> None:
    arguments = ["generate", "--path", document, "--output-path", tmp_path / "client", "--fail-on-warning"]
    said = run("openapi-python-client", *arguments, cwd=tmp_path)
    modules = {path.stem for path in (tmp_path / "client").glob("*/api/*/*.py")} - {"__init__"}

    assert said.split() == ["Generating", str(tmp_path / "client")]
    assert modules == {operation["operationId"] for _, _, operation in operations(description())}
    shutil.copy(HERE / "sign_up.py", tmp_path / "client")
    require_confirmed(run(sys.executable, "sign_up.py", site, EMAIL, make.PASSWORD, cwd=tmp_path / "client"))


@pytest.mark.stress
@with_node
@needs_pango
def test_a_client_of_openapi_typescript_signs_up_confirms_and_reads_its_invoice(typescript: Path, site: str) -> None:
    lines_with_mistakes = make_mistakes(typescript)

    complaints = re.findall(r"(\w+\.ts)\((\d+),\d+\): error TS", compiled(typescript))

    # The program compiles without a word; a wrong field, value or address is found before it runs.
    assert {file for file, _ in complaints} == {"mistakes.ts"}
    assert lines_with_mistakes <= {int(line) for _, line in complaints}
    require_confirmed(run("node", "sign_up.js", site, EMAIL, make.PASSWORD, cwd=typescript))


# What the program says, and what it might say by mistake.
MISTAKES = {
    "manual_reference:": "reference:",
    '"bank_transfer",\n      billing': '"bank",\n      billing',
    "/api/v1/auth/login/": "/api/v1/login/",
    "invoice.total,\n    confirmation": "invoice.sum,\n    confirmation",
}


def make_mistakes(folder: Path) -> set[int]:
    """Put mistakes.ts beside the program, to be compiled with it; the lines of it that have one."""
    text = (folder / "sign_up.ts").read_text(encoding="utf-8")
    for right, wrong in MISTAKES.items():
        assert text.count(right) == 1
        text = text.replace(right, wrong)
    (folder / "mistakes.ts").write_text(text, encoding="utf-8")
    options = json.loads((folder / "tsconfig.json").read_text(encoding="utf-8"))
    options["files"].append("mistakes.ts")
    (folder / "tsconfig.json").write_text(json.dumps(options), encoding="utf-8")
    return {text[: text.index(wrong)].count("\n") + 1 for wrong in MISTAKES.values()}


def compiled(folder: Path) -> str:
    """What the compiler says, which makes programs of what is wrong as well."""
    with pytest.raises(AssertionError) as refused:
        run("node_modules/.bin/tsc", "--pretty", "false", cwd=folder)
    return str(refused.value)


def test_the_developers_page_names_the_versions_that_are_tested() -> None:
    page = (HERE.parent.parent / "docs" / "developers.md").read_text(encoding="utf-8")
    package = json.loads((HERE / "package.json").read_text(encoding="utf-8"))
    tested = package["dependencies"] | package["devDependencies"]
    named = dict(re.findall(r"(openapi-typescript|openapi-fetch|typescript|@types/node)@([\d.]+)", page))

    assert named.keys() == tested.keys()
    assert [name for name, version in named.items() if not f"{tested[name]}.".startswith(f"{version}.")] == []
