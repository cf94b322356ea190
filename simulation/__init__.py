"""A population of customers, day by day through the real services, on a database of its own (manage.py simulate).

It is a part of the source like fake_gateways, which it pays cards with, and not of the production image.
"""
