"""The other anchor: a kubeconfig as `aws eks update-kubeconfig` writes it, read by the official client."""

from __future__ import annotations

import gc
import json
import sys
import time
from pathlib import Path

from kubernetes.client import VersionApi
from kubernetes.config import new_client_from_config

gc.freeze()  # as LocalExecutor does before it forks a worker: the imports are not collected again and again
started = time.monotonic()
VersionApi(new_client_from_config(str(Path(sys.argv[1])))).get_code()
finished = time.monotonic()
print(json.dumps({"reply": (finished - started) * 1000, "finished_at": finished}))
