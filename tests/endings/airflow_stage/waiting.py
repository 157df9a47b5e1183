"""Wait for a condition."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 150.0
"""Seconds; nothing awaited here takes more than twenty on an idle machine, unless its name says so."""


def until(condition: Callable[[], T], what: str, *, patience: float = PATIENCE, pace: float = 0.2) -> T:
    """Block until a condition is truthy and return it. Raises TimeoutError that says what was awaited."""
    limit = time.monotonic() + patience
    while not (answer := condition()):
        if time.monotonic() > limit:
            raise TimeoutError(f"waited {patience:g} s in vain for {what}")
        select.select([], [], [], pace)
    return answer
