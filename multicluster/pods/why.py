"""The answer to: why has this pod not started?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from multicluster.pods.reading import one_line


class Kind(Enum):
    """What it is that keeps a pod from starting."""

    IMAGE = "image"
    CONFIG = "config missing"
    VOLUME = "volume"
    CONTAINER = "container"
    NODES = "no node matches"
    GPU = "GPU not advertised"
    RESOURCES = "no node has room"
    CAPACITY = "no capacity"
    GATE = "scheduling gate"
    SANDBOX = "node"
    BUSY = "under way"
    """Nothing is wrong: an image is pulled, an init container runs. Of interest only when time is up."""


@dataclass(frozen=True, kw_only=True)
class Why:
    """Why a pod has not started, in one line, with where that comes from."""

    kind: Kind
    text: str
    source: str
    """The event or the status it was read from, in the cluster's words."""

    def __str__(self) -> str:
        return f"{self.text} [{one_line(self.source)}]"

    @property
    def trouble(self) -> bool:
        """Whether something is wrong, as opposed to taking its time."""
        return self.kind is not Kind.BUSY

    @property
    def same(self) -> str:
        """What is equal for two answers of which the second is no news: numbers of nodes go up and down."""
        return re.sub(r"\d+", "N", f"{self.kind.value} {self.text}")
