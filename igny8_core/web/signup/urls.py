from igny8_core.web.frame.addresses import addresses
from igny8_core.web.signup.card import signup_card
from igny8_core.web.signup.order import order
from igny8_core.web.signup.views import signup

urlpatterns = [
    *addresses("signup", signup, "signup"),
    *addresses("signup/card", signup_card, "signup_card"),
    *addresses("plan", order, "order"),
]
