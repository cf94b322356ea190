"""gunicorn's configuration: `gunicorn --config python:igny8_core.gunicorn_config --bind …`.

bin/run, the container, the tests' server and the benchmarks use it. Options on the command line override it.
"""

import os
from typing import Any

wsgi_app = "igny8_core.wsgi"
worker_class = "igny8_core.gunicorn_worker.PatientWorker"
workers = 2
threads = 4
# Of one process. Whoever sends nothing for ten seconds is let go (gunicorn_worker.py).
worker_connections = 4000
logger_class = "igny8_core.gunicorn_log.JsonLogger"
# The master loads and warms the site (wsgi.py) once, so that new workers can take requests at once. New code needs a
# restart; HUP is not enough. No database connection is open when workers start.
preload_app = True
# Longer than proxies in front of us keep idle connections, so that they never use one that we have closed.
keepalive = 75
graceful_timeout = 25
# The workers' heartbeat files are in shared memory: on a slow disk, a worker can seem dead.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 - gunicorn chooses random file names
control_socket_disable = True


def post_worker_init(worker: Any) -> None:
    """Tell the process how many threads it has: half may wait for payment gateways, all but one for passwords."""
    from igny8_core.auth import hashing
    from igny8_core.business.billing.gateways.turnstile import PLACES

    PLACES.set_threads(worker.cfg.threads)
    hashing.set_threads(worker.cfg.threads)
