"""Runs both stand-ins in one process. bin/run --with-fake-gateways starts it. See python -m fake_gateways --help."""

import argparse
import os
import threading

from fake_gateways import paypal_events, paypal_server, stripe_server
from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe

WEBHOOKS = "/api/v1/billing/webhooks"


def main() -> None:
    """Serve until the process is ended. The keys come from the same environment variables that the site reads."""
    parser = argparse.ArgumentParser(prog="python -m fake_gateways", description=__doc__)
    parser.add_argument("--stripe-port", type=int, required=True)
    parser.add_argument("--paypal-port", type=int, required=True)
    parser.add_argument(
        "--site", required=True, help="the site that gets the webhook messages, such as http://127.0.0.1:8011"
    )
    arguments = parser.parse_args()

    stripe = FakeStripe(os.environ["STRIPE_SECRET_KEY"])
    secret = os.environ["STRIPE_WEBHOOK_SECRET"]
    stripe.on_event = stripe_server.WebhookSender(f"{arguments.site}{WEBHOOKS}/stripe/", secret)

    keys = (os.environ[f"PAYPAL_{name}"] for name in ("CLIENT_ID", "CLIENT_SECRET", "WEBHOOK_ID"))
    paypal = FakePayPal(*keys)
    paypal.on_event = paypal_events.WebhookSender(f"{arguments.site}{WEBHOOKS}/paypal/", paypal.signed).send

    stripe_server.serve(stripe, arguments.stripe_port)
    paypal_server.serve(paypal, arguments.paypal_port)
    threading.Event().wait()


if __name__ == "__main__":
    main()
