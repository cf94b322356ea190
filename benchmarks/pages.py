"""What people's pages weigh as production serves them, and how soon a slow phone paints them.

Each page is loaded into a fresh Chromium profile of a phone's size, its processor slowed four times. Counted is what
comes from us: the bytes of answers, as compressed on the wire, and how many there are.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass

import bench
from playwright.sync_api import Browser, Page, sync_playwright

RUNS = 5
SLOWDOWN = 4
MOST_BYTES = 200_000
LATEST_PAINT = 1_000  # milliseconds
SETTINGS = "benchmarks.page_settings"
PHONE = {"width": 390, "height": 844}
PAINT = """() => new Promise((tell) => new PerformanceObserver((seen) => {
    for (const entry of seen.getEntriesByName("first-contentful-paint")) tell(entry.startTime);
}).observe({ type: "paint", buffered: true }))"""


@dataclass(frozen=True)
class Load:
    """What one load of a page took."""

    requests: int
    weight: int
    paint: float


@dataclass(frozen=True)
class Look:
    """A page, and with which session it is opened."""

    address: str
    session: str = ""


def main() -> None:
    bench.prepare(__doc__)
    looks = build()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        raise SystemExit("This measures in Chromium, which is not installed.")
    with tempfile.TemporaryDirectory() as var:
        os.environ |= {"IGNY8_VAR": var, "DJANGO_SETTINGS_MODULE": SETTINGS}
        collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity=0"]
        subprocess.run(collect, cwd=bench.ROOT, check=True)
        with bench.server() as port, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            missed = [name for name, look in looks.items() if not measured(name, browser, port, look)]
            browser.close()
    bench.finish()
    if missed:
        raise SystemExit(f"MISSED: {', '.join(missed)}")


def build() -> dict[str, Look]:
    """A customer with an open invoice, and the pages that they see."""
    from igny8_core.auth.models import Account, AccountStatus, User
    from igny8_core.auth.services.page_sessions import open_page_session
    from igny8_core.business.billing.services.invoice_service import InvoiceService
    from igny8_core.business.billing.services.invoices.pay_links import pay_link

    bench.make_accounts([1])
    Account.objects.update(status=AccountStatus.ACTIVE, payment_method="bank_transfer", billing_country="PK")
    line = {"description": "Starter plan, monthly", "quantity": 1, "amount": "89.00"}
    invoice = InvoiceService.create_invoice(Account.objects.get(), line_items=[line])
    session = open_page_session(User.objects.get(account_id=1))
    return {
        "landing": Look("/"),
        "signup": Look("/signup?plan=starter"),
        "login": Look("/login"),
        "pay, open": Look("/pay/" + pay_link(invoice).rpartition("/pay/")[2]),
        "home": Look("/home", session),
        "sites": Look("/sites", session),
        "billing": Look("/account/billing", session),
        "invoices": Look("/account/invoices", session),
        "credits": Look("/account/credits/purchase", session),
        "usage": Look("/account/usage", session),
    }


def measured(name: str, browser: Browser, port: int, look: Look) -> bool:
    """Print the page's line; whether it keeps to both limits."""
    # The first load also warms the server's templates.
    loads = [load(browser, port, look) for _ in range(RUNS + 1)][1:]
    weight = max(each.weight for each in loads)
    paint = statistics.median(each.paint for each in loads)
    slowest, fastest = max(each.paint for each in loads), min(each.paint for each in loads)
    is_good = weight < MOST_BYTES and paint < LATEST_PAINT
    print(
        f"{name:<10} {loads[0].requests:>2} requests  {weight / 1000:>5.1f} kB  "
        f"painted after {paint:.0f} ms ({fastest:.0f} to {slowest:.0f})  {'reached' if is_good else 'MISSED'}",
        flush=True,
    )
    return is_good


def load(browser: Browser, port: int, look: Look) -> Load:
    """Open the page in a browser that has seen nothing of it yet."""
    context = browser.new_context(viewport=PHONE, device_scale_factor=3, is_mobile=True, has_touch=True)
    site = f"http://127.0.0.1:{port}"
    if look.session:
        context.add_cookies([{"name": "session", "value": look.session, "url": site}])
    page = context.new_page()
    weights = _weights(page)
    answer = page.goto(f"{site}{look.address}", wait_until="networkidle")
    if not answer or answer.status != 200 or page.url != f"{site}{look.address}":
        raise SystemExit(f"{look.address} answered {answer and answer.status} at {page.url}")
    paint = float(page.evaluate(PAINT))
    context.close()
    return Load(len(weights), sum(weights), paint)


def _weights(page: Page) -> list[int]:
    """Slow the page's processor; the answer gives the bytes of each answer since, headers included."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
    found: list[int] = []
    session.on("Network.loadingFinished", lambda event: found.append(round(event["encodedDataLength"])))
    return found


if __name__ == "__main__":
    main()
