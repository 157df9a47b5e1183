"""Images: which ones can be pulled, and what the well-known ones run when a pod names no command."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_REFERENCE = re.compile(r"[a-z0-9]([a-z0-9._:/-]*[a-z0-9])?(:[\w][\w.-]{0,127})?(@sha256:[a-f0-9]{64})?")
_IDLE = ("sh", "-c", "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait $!; done")


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image's own command."""

    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()


_KNOWN: Mapping[str, Image] = {
    "alpine": Image(command=("sh",)),
    "bash": Image(command=("bash",)),
    "busybox": Image(command=("sh",)),
    "cuda": Image(command=("sh",)),
    "debian": Image(command=("bash",)),
    "hello-world": Image(command=("echo", "Hello from the simulator!")),
    "nginx": Image(command=_IDLE),
    "pause": Image(entrypoint=_IDLE),
    "python": Image(command=("python3",)),
    "pytorch": Image(command=("bash",)),
    "ubuntu": Image(command=("bash",)),
}


@dataclass(frozen=True, kw_only=True)
class Images:
    """The registry of a kubelet: every image exists, except those `absent` finds a match in.

    Those of the host `private` are given only for a pull secret that names it.
    """

    absent: str = "does-not-exist"
    private: str = "private.example"
    known: Mapping[str, Image] = field(default_factory=lambda: _KNOWN)

    def exists(self, reference: str) -> bool:
        """Whether an image can be pulled."""
        return re.search(self.absent, reference) is None

    def valid(self, reference: str) -> bool:
        """Whether an image's name can be one."""
        return _REFERENCE.fullmatch(reference) is not None

    def argv(self, reference: str, command: list[str], args: list[str]) -> list[str] | None:
        """Return what a container runs, as Docker and Kubernetes combine them; None when nobody knows."""
        if command:
            return [*command, *args]
        image = self.known.get(reference.partition("@")[0].rpartition("/")[2].partition(":")[0])
        if image is None:
            return None
        return [*image.entrypoint, *(args or image.command)]
