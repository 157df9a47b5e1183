"""Load and validate the registry file that is named, with the library imported before the clock starts."""

from __future__ import annotations

import json
import sys
import time

from multicluster import load_registry

started = time.monotonic()
registry = load_registry(sys.argv[1])
finished = time.monotonic()
if len(registry) != 1000:
    raise SystemExit(f"{len(registry)} clusters")
print(json.dumps({"load": (finished - started) * 1000, "finished_at": finished}))
