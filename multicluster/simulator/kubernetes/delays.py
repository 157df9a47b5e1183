"""How long the steps of a pod's life take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PodDelays:
    """Seconds on the world's clock. The defaults are a fast cluster's, so that a demo does not wait.

    A real kubelet takes 1-2 s to start a container of a cached image, minutes to pull a GPU image, backs off
    10 s to 300 s between restarts and pulls, and pods of a vanished node are collected after about 40 s.
    """

    schedule: float = 0.0
    image_pull: float = 0.05
    start: float = 0.05
    restart_backoff: float = 10.0
    pull_backoff: float = 1.0
    config_retry: float = 0.5
    orphan_collection: float = 0.5
    max_backoff: float = 300.0
