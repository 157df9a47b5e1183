"""Ours: a name in a registry file, to the first and the second reply of the API server."""

from __future__ import annotations

import json
import statistics
import sys
import time

import boto3  # noqa: F401 - imports apart: what the access imports at first use is imported before the clock starts
from kubernetes.client import VersionApi

import multicluster
import multicluster.access.sync_client
import multicluster.kinds.eks.access
import multicluster.registry

REPEAT = 200


def milliseconds(call: object) -> float:
    """Take the median of many calls."""
    times = []
    for _ in range(REPEAT):
        begun = time.monotonic()
        call()
        times.append(time.monotonic() - begun)
    return statistics.median(times) * 1000


started = time.monotonic()
registry = multicluster.load_registry(sys.argv[1])
VersionApi(registry["gpu-use1"].client()).get_code()
finished = time.monotonic()

# The API call itself: the same request of the same client library, whose header was written once and is never renewed.
renewing = registry["gpu-use1"].client()
bare = type(renewing)(renewing.configuration)
bare.configuration.refresh_api_key_hook = None
again = milliseconds(lambda: VersionApi(registry["gpu-use1"].client()).get_code())
itself = milliseconds(lambda: VersionApi(bare).get_code())
print(json.dumps({"reply": (finished - started) * 1000, "again": again, "itself": itself, "finished_at": finished}))
