"""Wait in the triggerer until a busy cloud may be asked again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_multicluster.triggers.haste import not_in_haste


class AskAgainTrigger(BaseTrigger):
    """Fire after *seconds*; *asked* counts the asking so far."""

    def __init__(self, *, seconds: float, asked: int) -> None:
        super().__init__()
        self.seconds = seconds
        self.asked = asked

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return class path and arguments."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {"seconds": self.seconds, "asked": self.asked}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Let the time pass."""
        started = time.monotonic()
        await asyncio.sleep(self.seconds)
        await not_in_haste(self, started=started)
        yield TriggerEvent({"asked": self.asked})
