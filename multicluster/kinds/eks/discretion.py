"""Keep botocore from writing credentials into DEBUG logs.

At that level botocore logs whole answers, AssumeRole's with the new keys among them, and the headers that carry a
session token.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

LOGGERS = ("botocore.auth", "botocore.endpoint", "botocore.parsers", "botocore.utils")
LEFT_OUT = "left out by multicluster: it could hold AWS credentials"


class _Discretion(logging.Filter):
    """Replaces what one thread logs; what others log at the same time is none of its business."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.thread == self._thread and record.levelno <= logging.DEBUG:
            record.msg, record.args = LEFT_OUT, ()
        return True


@contextmanager
def discretion() -> Iterator[None]:
    """Replace, until the block ends, what this thread makes botocore log at DEBUG; may be nested."""
    loggers, replace = [logging.getLogger(name) for name in LOGGERS], _Discretion()
    for logger in loggers:
        logger.addFilter(replace)
    try:
        yield
    finally:
        for logger in loggers:
            # A new list: another thread may be going through the old one.
            logger.filters = [one for one in logger.filters if one is not replace]


def discreet(client: Any) -> Any:
    """Return *client*, whose requests are from now on made in discretion."""
    endpoint = client._endpoint  # noqa: SLF001  its events end before its logs do
    make_request = endpoint.make_request

    def make(*arguments: Any, **named: Any) -> Any:
        with discretion():
            return make_request(*arguments, **named)

    endpoint.make_request = make
    return client
