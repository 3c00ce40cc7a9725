"""Works jobs and ticks. Any number of these may run, on any number of machines."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys

from flask import Flask
from rq import Worker
from rq.serializers import JSONSerializer

from portal import jobs, start
from portal.extensions import db

WORKER_TTL_SECONDS = 60  # a dead worker is forgotten after this long


def main() -> None:
    app = start()
    queue = app.extensions["queue"]
    if queue is None:
        sys.exit("REDIS_URL is missing. Set it to the Redis or Valkey server that carries the jobs.")
    ticker = multiprocessing.get_context("fork").Process(target=_tick, args=(app, os.getpid()), daemon=True)
    ticker.start()
    jobs.PortalJob.app = app
    worker = Worker(
        [jobs.make_queue(app.extensions["config"].redis_url, timeout_seconds=None)],
        job_class=jobs.PortalJob,
        serializer=JSONSerializer,
        worker_ttl=WORKER_TTL_SECONDS,
        job_monitoring_interval=5,
        maintenance_interval=30,
        log_job_description=False,
    )
    try:
        worker.work(logging_level="WARNING")
    finally:
        ticker.terminate()


def _tick(app: Flask, parent: int) -> None:
    """A process of its own, since RQ forks: no lock may be held by a thread then. It ends with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    with app.app_context():
        db.engine.dispose(close=False)
        jobs.tick_forever(lambda: os.getppid() == parent)


if __name__ == "__main__":
    main()
