"""Serve a world until somebody asks it to stop."""

from __future__ import annotations

import json
import shlex
import signal
import sys
import threading
from typing import TYPE_CHECKING, TextIO

from multicluster.simulator.world import World

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

SAFETY = (
    "Containers of this simulated world run as local processes of your own user, without isolation. "
    "It listens on 127.0.0.1 only, behind random tokens; run only work you trust."
)


def serve(
    *,
    eks: tuple[str, ...] = ("gpu-use1",),
    gke: tuple[str, ...] = ("gpu-euw4",),
    plain: tuple[str, ...] = ("laptop",),
    root: Path | None = None,
    out: TextIO | None = None,
    err: TextIO | None = None,
) -> int:
    """Start a world, print shell lines that lead clients to it, and block until SIGINT or SIGTERM; returns 0.

    Standard output can be given to ``eval``; what is said to people goes to standard error. Only in the main thread.
    """
    out, err = out or sys.stdout, err or sys.stderr
    stop = threading.Event()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, ask_to_stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with World(root=root) as world:
            for name in eks:
                world.add_eks(name)
            for name in gke:
                world.add_gke(name)
            for name in plain:
                world.add_plain(name)
            announce(world, out, err)
            stop.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0


def announce(world: World, out: TextIO, err: TextIO) -> None:
    """Print exports, after writing kubeconfig and registry into the world's folder."""
    document = world.registry()
    registry = world.root / "registry.yaml"
    registry.write_text(json.dumps(document, indent=2))  # JSON is YAML
    variables = {**world.env(), "KUBECONFIG": str(world.root / "kubeconfig"), "MULTICLUSTER_REGISTRY": str(registry)}
    print(SAFETY, file=err)
    print("unset GOOGLE_APPLICATION_CREDENTIALS AWS_PROFILE AWS_SESSION_TOKEN", file=out)
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}", file=out)
    out.flush()
    print(
        f"serving {', '.join(world.entrances)}; kubeconfig: {world.root / 'kubeconfig'}; Ctrl-C stops",
        file=err,
        flush=True,
    )
