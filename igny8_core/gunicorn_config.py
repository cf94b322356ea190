"""How gunicorn runs the site: `gunicorn --config python:igny8_core.gunicorn_config --bind …`, everywhere.

bin/run, the container, the tests' server and the benchmarks all start it with this file; options on the command line go
before it.
"""

import os

wsgi_app = "igny8_core.wsgi"
worker_class = "gthread"
workers = 2
threads = 4
# The master loads and warms the site (wsgi.py) once, before it starts workers: a new one takes requests at once, also
# when HUP replaces them all. New code is taken up by a restart, not by HUP. No connection is open when workers start.
preload_app = True
# Longer than the time in which a proxy in front of us may still use a connection.
keepalive = 75
graceful_timeout = 25
# Shared memory for the workers' heartbeat files: on a slow disk one can block and the worker be taken for dead.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 - no file name that anybody could guess
control_socket_disable = True
