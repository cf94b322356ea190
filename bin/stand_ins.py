"""The stand-ins for Stripe and PayPal (fake_gateways/) in bin/run --with-fake-gateways: settings and start command."""

import secrets
import socket
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from paths import VENV_PYTHON

VARIABLES = (
    *("STRIPE_SECRET_KEY", "STRIPE_PUBLIC_KEY", "STRIPE_WEBHOOK_SECRET", "STRIPE_API_BASE"),
    *("PAYPAL_CLIENT_ID", "PAYPAL_CLIENT_SECRET", "PAYPAL_WEBHOOK_ID", "PAYPAL_MODE", "PAYPAL_API_BASE"),
)


def settings_for_them() -> dict[str, str]:
    """New keys and free ports for this run. They replace the keys in the caller's environment."""
    stripe_port, paypal_port = _free_ports()
    return {
        "STRIPE_SECRET_KEY": f"sk_test_{secrets.token_hex(12)}",
        "STRIPE_PUBLIC_KEY": f"pk_test_{secrets.token_hex(12)}",
        "STRIPE_WEBHOOK_SECRET": f"whsec_{secrets.token_hex(16)}",
        "STRIPE_API_BASE": f"http://127.0.0.1:{stripe_port}",
        "PAYPAL_CLIENT_ID": f"client-{secrets.token_hex(12)}",
        "PAYPAL_CLIENT_SECRET": secrets.token_hex(16),
        "PAYPAL_WEBHOOK_ID": "STANDIN1",
        "PAYPAL_MODE": "sandbox",
        "PAYPAL_API_BASE": f"http://127.0.0.1:{paypal_port}",
    }


def command(settings: Mapping[str, str], site: str) -> list[str | Path]:
    """The command that starts the stand-ins. They send webhook messages to `site` and get keys from the environment."""
    ports = {name: str(urlsplit(settings[f"{name}_API_BASE"]).port) for name in ("STRIPE", "PAYPAL")}
    options = ["--stripe-port", ports["STRIPE"], "--paypal-port", ports["PAYPAL"], "--site", site]
    return [VENV_PYTHON, "-m", "fake_gateways", *options]


def greeting(settings: Mapping[str, str]) -> list[str]:
    """The lines about the stand-ins for the terminal."""
    return [
        "",
        f"Stand-in for Stripe: {settings['STRIPE_API_BASE']}",
        f"Stand-in for PayPal: {settings['PAYPAL_API_BASE']}",
        "Open the demo invoice in a browser and pay it by card or with PayPal. Try a card that is declined, too.",
        "No money moves. The stand-ins forget everything when they stop.",
    ]


def _free_ports() -> tuple[int, int]:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]
