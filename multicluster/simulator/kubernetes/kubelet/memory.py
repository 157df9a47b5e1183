"""The memory that the processes of one session hold."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

_LOOK_EVERY = 0.1  # of real time: processes allocate in it
_SESSION, _RESIDENT = 3, 21  # of /proc/PID/stat, counted after the name


async def exceeded(session: int, limit: int) -> None:
    """Return once the processes of a session hold more than `limit` bytes. Where there is no /proc, never."""
    while resident(session) <= limit:  # noqa: ASYNC110 - nobody tells when memory grows
        await asyncio.sleep(_LOOK_EVERY)


def resident(session: int) -> int:
    """Return how many bytes the processes of a session hold."""
    pages = 0
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            values = file.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        if int(values[_SESSION]) == session:
            pages += int(values[_RESIDENT])
    return pages * os.sysconf("SC_PAGE_SIZE")
