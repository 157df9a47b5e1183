"""One at a time: advisory locks on files, which the kernel frees when their holder dies."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SHARED = Path("/run/multicluster-testbed")
"""What the testbeds of this machine have in common: locks and claims. Gone after a reboot, as is all they name."""


@contextmanager
def locked(path: Path, *, shared: bool = False, waiting: str = "") -> Iterator[None]:
    """Hold the lock on *path*; wait for it as long as it takes, and say *waiting* if that is not at once."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    with path.open("a") as file:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting:
                sys.stderr.write(f"{waiting}\n")
            fcntl.flock(file, kind)
        yield
