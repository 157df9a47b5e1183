"""Time, handed in rather than looked up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the present moment, in UTC."""


def system_clock() -> datetime:
    """Return the machine's present moment, in UTC."""
    return datetime.now(UTC)
