"""Stand-ins for Stripe and PayPal on this machine, for tests and for bin/run --with-fake-gateways.

They keep their data in memory and refuse what Stripe and PayPal would refuse. A test can also make them misbehave: they
then answer late, charge and never answer, decline a payment, or send webhook messages twice and in any order.
"""
