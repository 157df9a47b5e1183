"""Draw every name that the simulator makes up from the seed, so that two runs of a seed are one."""

from __future__ import annotations

import random
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let ``secrets``, ``uuid`` and the module ``random`` (botocore's pauses) follow the seed, in this block."""
    names = random.Random(f"names {seed}")
    kept = secrets.token_hex, secrets.token_urlsafe, secrets.randbelow, uuid.uuid4
    state = random.getstate()
    random.seed(seed)
    secrets.token_hex = lambda size=32: f"{names.getrandbits(8 * size):0{2 * size}x}"
    secrets.token_urlsafe = secrets.token_hex
    secrets.randbelow = names.randrange
    uuid.uuid4 = lambda: uuid.UUID(int=names.getrandbits(128), version=4)
    try:
        yield
    finally:
        secrets.token_hex, secrets.token_urlsafe, secrets.randbelow, uuid.uuid4 = kept
        random.setstate(state)
