"""Structured logs: one JSON object a line. Ids only; never names, addresses or secrets."""

from __future__ import annotations

import logging
import sys

import structlog

from runtime.faults import describe


def _without_data(
    logger: object, name: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """A library's traceback or error text may quote a record: only what is safe of it stays."""
    info = event.pop("exc_info", None)
    record = event.get("_record")
    if record is not None:
        record.exc_info = record.exc_text = None
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["cause"] = describe(error)
    return event


def configure(service: str, worker: str, level: str = "INFO") -> None:
    """Send structlog and the standard library's log to stdout as JSON lines."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _without_data],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel("WARNING")
    # aiokafka says much about what the edge handles and reports itself.
    logging.getLogger("aiokafka").setLevel("CRITICAL")
    structlog.configure(
        processors=[
            *shared,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service, worker=worker)
