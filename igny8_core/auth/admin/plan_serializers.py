"""Input of a plan in the console."""

from rest_framework import serializers

from igny8_core.auth.models import BillingCycle
from igny8_core.common.api.fields import ForeignIdField, PlainTextField, SlugField, TrueOrFalseField, WholeNumberField
from igny8_core.common.api.priced import PricedInput, PriceField

# The largest numbers that the columns can store.
MAX_NUMBER = 2**31 - 1
MAX_SMALL_NUMBER = 2**15 - 1
MAX_FEATURES = 50


class TextsField(serializers.ListField):
    """A list of short texts."""

    default_error_messages = {"not_a_list": 'A list of texts is expected, for example ["5 sites", "E-mail support"].'}
    child = PlainTextField(max_length=200)


class PlanInput(PricedInput):
    name = PlainTextField(max_length=100)
    slug = SlugField(max_length=50)
    price = PriceField(may_be_free=True)
    billing_cycle = serializers.ChoiceField(choices=BillingCycle.choices)
    included_credits = WholeNumberField(min_value=0, max_value=MAX_NUMBER)
    credits_rollover = TrueOrFalseField()
    max_sites = WholeNumberField(min_value=0, max_value=MAX_NUMBER)
    max_users = WholeNumberField(min_value=1, max_value=MAX_NUMBER)
    is_active = TrueOrFalseField()
    is_public = TrueOrFalseField()
    is_trial = TrueOrFalseField()
    sort_order = WholeNumberField(min_value=0, max_value=MAX_SMALL_NUMBER)
    features = TextsField(max_length=MAX_FEATURES)
    stripe_product_id = ForeignIdField()
    stripe_price_id = ForeignIdField()
