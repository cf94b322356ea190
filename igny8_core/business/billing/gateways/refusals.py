"""What gateways raise, as refusals that people can act on."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from igny8_core.business.billing.errors import GatewayMisconfigured, GatewayUnavailable
from igny8_core.business.billing.gateways.protocol import Misconfigured, Unavailable

logger = logging.getLogger(__name__)


@contextmanager
def gateway_refusals() -> Iterator[None]:
    """Turn what a question to a gateway raises into GatewayUnavailable and GatewayMisconfigured.

    For questions, and for requests that may be sent again; a request for money that got no answer is
    charge_records.record_silence. Declined and UnknownObject pass.
    """
    try:
        yield
    except Unavailable as problem:
        raise GatewayUnavailable(retry_after=problem.retry_after) from problem
    except Misconfigured as problem:
        logger.error("gateway misconfigured", extra={"code": problem.code, "gateway_request": problem.request_id})
        raise GatewayMisconfigured() from problem
