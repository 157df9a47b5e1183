"""Hear what Airflow writes to a task's log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog


class Hearing(logging.Handler):
    """Listens to both logging systems that Airflow uses."""

    def __init__(self, heard: list[str]) -> None:
        super().__init__(logging.INFO)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self._heard.append(record.getMessage().rstrip())

    def process(self, _logger: Any, _method: str, event: Any) -> Any:
        text, positional = str(event.get("event", "")), event.get("positional_args") or ()
        self._heard.append((text % positional if positional else text).rstrip())
        return event


class LogKept:
    """Stands for the logger of a task, and keeps what it is given."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.warnings: list[str] = []

    def log(self, level: int, text: str, *arguments: object) -> None:
        assert level == logging.INFO
        self.lines.append((text % arguments).removeprefix("[base] "))

    def info(self, *_: object) -> None:
        """Keep nothing."""

    debug = info

    def warning(self, text: str, *arguments: object) -> None:
        self.warnings.append(text % arguments)


@contextmanager
def hearing(heard: list[str]) -> Iterator[None]:
    """Fill *heard* with the lines of the task's log, for the block."""
    before = structlog.get_config()["processors"]
    ear = Hearing(heard)
    structlog.configure(processors=[ear.process, *before])
    logging.getLogger().addHandler(ear)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(ear)
        structlog.configure(processors=before)
