"""Serve a world with one EKS cluster; print how to reach it; stop when standard input ends."""

from __future__ import annotations

import json
import sys

from multicluster.simulator import Delays, World

with World(delays=Delays.none()) as world:
    world.add_eks("gpu-use1", "us-east-1")
    found = {"environment": world.env(), "registry": world.registry(), "kubeconfig": world.kubeconfig()}
    print(json.dumps(found), flush=True)
    sys.stdin.read()
