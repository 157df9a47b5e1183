"""Come back from the triggerer not too soon.

Airflow's scheduler hears twice of a task that was deferred: that its first process has ended, and that its trigger
fired. When the second overtakes the first, and the task runs again before the scheduler has read that the process
before it ended, the task is failed: "finished with state success, but the task instance's state attribute is running".
Seen with Airflow 3.3.2, LocalExecutor, two busy cores: 4 of 9 triggers that fired within two seconds.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.triggers.base import BaseTrigger

EARLIEST = 5.0
"""Seconds from the start of a trigger to its event."""


async def not_in_haste(trigger: BaseTrigger, *, started: float) -> None:
    """Wait until the event may be sent, in a triggerer only; *started* is what time.monotonic said at the start."""
    if trigger.task_instance is not None:
        await asyncio.sleep(max(started + EARLIEST - time.monotonic(), 0))
