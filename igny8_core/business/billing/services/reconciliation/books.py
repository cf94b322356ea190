"""Tell operators at once when the books do not add up: a rule of docs/domain.md section 7 is broken."""

from datetime import timedelta

from igny8_core.business.billing.invariants import Result
from igny8_core.common import clock
from igny8_core.common.db import lock_text, service_transaction
from igny8_core.events import services as events
from igny8_core.events.models import Event, TaskRun

BROKEN = "books.broken"
# The task that checks the rules every 15 minutes; the event is about it, because no row of money is known to be wrong.
TASK = "billing.check_invariants"
AGAIN_AFTER = timedelta(days=1)


@service_transaction
def tell_operators(broken: list[Result]) -> bool:
    """Record that rules are broken, for the mail to operators. Returns whether they are told now.

    They are told at once of a rule that they were not told of in the last day, and once a day while any is broken.
    """
    if not broken:
        return False
    lock_text(BROKEN, TASK)
    told = Event.objects.filter(type=BROKEN, created_at__gt=clock.now() - AGAIN_AFTER).values_list("data", flat=True)
    if {result.number for result in broken} <= {rule["number"] for data in told for rule in data["broken"]}:
        return False
    checked, _ = TaskRun.objects.get_or_create(task=TASK, defaults={"ended_at": clock.now()})
    facts = [
        {"number": result.number, "name": result.name, "rows": result.violations, "examples": result.examples}
        for result in broken
    ]
    # Of no account: it is for operators, and may be about several customers.
    events.record(events.NewEvent(BROKEN, checked, account_id=None, data={"broken": facts}))
    return True
