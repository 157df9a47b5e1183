"""The simulated world in a process of its own, so that it does not share an interpreter with what is measured."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What a client needs to find the world."""

    environment: dict[str, str]
    registry: dict[str, Any]
    kubeconfig: dict[str, Any]


@contextmanager
def ground() -> Iterator[Ground]:
    """Serve one EKS cluster, ``gpu-use1`` in us-east-1, until the block ends."""
    command = [sys.executable, str(Path(__file__).parent / "children" / "world.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the world was started without pipes")
        try:
            yield Ground(**json.loads(process.stdout.readline()))
        finally:
            process.stdin.close()
            process.wait(timeout=30)
