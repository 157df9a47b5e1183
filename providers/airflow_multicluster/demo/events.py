"""Tell the parent process what happens, one JSON object a line."""

from __future__ import annotations

import json
import os
import threading
import time
from typing import Any


class Events:
    """Write events to a pipe. Safe to use from several threads; a parent that is gone is no error."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def tell(self, kind: str, **facts: Any) -> None:
        """Write one event with the present moment, in epoch seconds."""
        line = json.dumps({"at": time.time(), "kind": kind, **facts}, default=str) + "\n"
        data = memoryview(line.encode())
        with self._lock:
            try:
                while data:
                    data = data[os.write(self._descriptor, data) :]
            except BrokenPipeError:
                return
