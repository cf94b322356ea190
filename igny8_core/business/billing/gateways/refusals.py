"""Turn gateway errors into errors with a text that people can act on."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from igny8_core.business.billing.errors import GatewayMisconfigured, GatewayUnavailable
from igny8_core.business.billing.gateways.protocol import Misconfigured, Unavailable

logger = logging.getLogger(__name__)


@contextmanager
def gateway_refusals() -> Iterator[None]:
    """Turn a gateway's Unavailable and Misconfigured into GatewayUnavailable and GatewayMisconfigured.

    Use it for reads and for requests that may be repeated. A request for money that got no answer needs
    collection.outcomes.mark_unknown instead. Declined and UnknownObject pass through.
    """
    try:
        yield
    except Unavailable as problem:
        raise GatewayUnavailable(retry_after=problem.retry_after) from problem
    except Misconfigured as problem:
        logger.error("gateway misconfigured", extra={"code": problem.code, "gateway_request": problem.request_id})
        raise GatewayMisconfigured() from problem
