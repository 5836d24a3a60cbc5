"""gunicorn's configuration: `gunicorn --config python:planner_site.serving planner_site.wsgi`.

Options on the command line hold over these.
"""

from __future__ import annotations

import threading
from typing import Any

from .settings import LOGGING

threads = 4
timeout = 60  # seconds without a sign of life of a worker; taking a large plant's snapshot counts
graceful_timeout = 60  # seconds for the requests under way, after SIGTERM
control_socket_disable = True  # a door that nobody here uses
logconfig_dict = LOGGING  # the same lines as everything else


def post_worker_init(worker: Any) -> None:
    """Set the runs going that waited while no web process was there: without a queue, nobody else would."""
    threading.Thread(target=_reconcile, daemon=True, name="reconcile").start()


def _reconcile() -> None:
    import logging

    from django.db import connection

    from planning.runs import reconcile

    try:
        reconcile()
    except Exception:  # a thread has nobody to tell, and the site works without; workers and pages do it too
        logging.getLogger("planning.runs").exception("runs and processes could not be brought together")
    finally:
        connection.close()
