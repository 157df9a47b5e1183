"""Pick out of Airflow's log what a person wants to see: the pods' output, and what the sensors find."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, MutableMapping
from typing import Any

POD_LINE = re.compile(r"\[base\] (?:logs: )?(.*)", re.DOTALL)
"""How the pod operator writes a line of the pod's main container, live or at the end."""
FINDINGS = ("airflow_multicluster.triggers.node_pool", "airflow_multicluster.sensors.node_pool")
"""What the waits for node pools say each time they find something new."""
DEFERRED = "[DAG TEST] running trigger in line"

Hear = Callable[[str, str], None]
"""Takes a kind (``line``, ``note``, ``deferred``) and a text."""


def sort_out(logger: str, message: str) -> tuple[str, str] | None:
    """Return what a record is to the audience, or None."""
    pod_line = POD_LINE.fullmatch(message)
    if pod_line:
        return "line", pod_line[1].rstrip("\n")
    if message.startswith(DEFERRED):
        return "deferred", ""
    return ("note", message) if logger.startswith(FINDINGS) else None


class LogTap(logging.Handler):
    """Listens to both logging systems that Airflow uses, and changes nothing in them."""

    def __init__(self, hear: Hear) -> None:
        super().__init__(logging.INFO)
        self._hear = hear

    def attach(self) -> None:
        """Begin to listen; to be called after Airflow has set up its logging."""
        import structlog

        logging.getLogger().addHandler(self)
        structlog.configure(processors=[self.process, *structlog.get_config()["processors"]])

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record of the standard library."""
        self._sort(record.name, record.getMessage())

    def process(self, logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Take an event of structlog."""
        text, positional = str(event.get("event", "")), event.get("positional_args") or ()
        try:
            message = text % positional if positional else text
        except (TypeError, ValueError):
            message = text
        name = str(event.get("logger_name") or getattr(logger, "name", "") or "")
        self._sort(name, message)
        return event

    def _sort(self, logger: str, message: str) -> None:
        found = sort_out(logger, message)
        if found:
            self._hear(*found)
