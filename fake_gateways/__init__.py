"""Stand-ins for Stripe and PayPal on this machine, for tests and for bin/run --with-fake-gateways.

They keep what they were told in memory, refuse what the real ones would refuse, and can be told to misbehave: to answer
late or never after they have charged, to decline, to send messages twice and in any order.
"""
