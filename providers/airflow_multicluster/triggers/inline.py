"""Wait in the worker, for deployments without a triggerer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.triggers.base import BaseTrigger


def wait_here(trigger: BaseTrigger) -> Any:
    """Block until *trigger* fires and return its event's payload; the worker slot stays taken."""

    async def first_event() -> Any:
        async for event in trigger.run():
            return event.payload
        raise RuntimeError(f"{trigger!r} ended without an event")

    return asyncio.run(first_event())
