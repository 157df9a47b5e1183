"""Start and end a testbed as a whole."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from testbed import (
    bundle,
    cgroups,
    claims,
    control_plane,
    kubeconfig,
    mounts,
    network,
    node,
    processes,
    state,
    verifier,
)
from testbed.checkpoint import Step, passed
from testbed.errors import LauncherError
from testbed.home import Home

ADMIN = "admin"
ADMINS = ("system:masters",)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A testbed as its caller wants it."""

    cluster_name: str = "testbed"
    nodes: int = 1
    webhook: control_plane.Webhook | None = None
    verifier: tuple[str, ...] = ()
    """What AWS's token verifier is given, if the testbed runs it behind the webhook."""


def up(home: Home, wanted: Wanted) -> state.State:
    """Start a testbed, with so many plain nodes; one that runs already is left as it is.

    Of that one, parts that have ended are started again; what is in its etcd stays. What an interrupted start left here
    is cleared first.
    """
    home.create()
    if present := running(home):
        same(present, home, wanted)
        start(home, present, wanted)
        return present
    down(home)
    binaries = bundle.build()
    verifier.build()
    clear_logs(home)
    chosen = state.State(
        cluster_name=wanted.cluster_name,
        kubernetes=bundle.kubernetes_version(),
        binaries=binaries,
        claim=claims.claim(home),
        webhook=str(wanted.webhook.file) if wanted.webhook else "",
        verifier=wanted.verifier,
        complete=False,
    )
    passed(Step.CLAIMED)
    state.save(home, chosen)
    passed(Step.RECORDED)
    network.create_bridge(home, chosen)
    passed(Step.BRIDGED)
    control_plane.certify(home, chosen)
    kubeconfig.write(home, chosen, user=ADMIN, groups=ADMINS)
    passed(Step.CERTIFIED)
    start(home, chosen, wanted)
    chosen = replace(chosen, complete=True)
    state.save(home, chosen)
    add_nodes(home, chosen, [node.Node(name=f"cpu-{number + 1}") for number in range(wanted.nodes)])
    passed(Step.UP)
    return chosen


def start(home: Home, chosen: state.State, wanted: Wanted) -> None:
    """Start the control plane, or what of it does not run.

    Raises:
        LauncherError: It does not start; what has started is left for a look at it.

    """
    try:
        control_plane.start(home, chosen, wanted.webhook)
    except LauncherError as error:
        raise LauncherError(f"{error}\nwhat has started still runs; end it with: {home.command('down')}") from error


def same(present: state.State, home: Home, wanted: Wanted) -> None:
    """See that the testbed that runs is the one that is wanted; its nodes are the caller's matter.

    Raises:
        LauncherError: It has another name or asks another webhook, which only a new start can change.

    """
    webhook = str(wanted.webhook.file) if wanted.webhook else ""
    if (present.cluster_name, present.webhook, present.verifier) != (wanted.cluster_name, webhook, wanted.verifier):
        asks = f"webhook {present.webhook}" if present.webhook else "no webhook"
        asks = f"a token verifier ({' '.join(present.verifier)})" if present.verifier else asks
        raise LauncherError(
            f"a testbed named {present.cluster_name!r} with {asks} runs at {home.path} already; "
            f"end it first: {home.command('down')}"
        )


def running(home: Home) -> state.State | None:
    """Give the testbed that was up here and of which something runs; None where its start was interrupted.

    Raises:
        LauncherError: Something runs and its state cannot be read: what is in it is not ours to clear.

    """
    if not processes.marked(home):
        return None
    present = state.load(home)
    return present if present.complete else None


def add_nodes(home: Home, chosen: state.State, nodes: Sequence[node.Node]) -> None:
    """Let several nodes join at the same time."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        for _ in pool.map(lambda one: node.add(home, chosen, one), nodes):
            sys.stderr.flush()


def down(home: Home) -> None:
    """End a testbed and take away all that it made on this machine; what is not there is as good.

    It reads nothing but the home's path and what the kernel knows, so it also ends what a crash left half made.
    """
    processes.kill(home)
    passed(Step.KILLED)
    unmount(home)
    passed(Step.UNMOUNTED)
    cgroups.remove(home.cgroup)
    passed(Step.UNGROUPED)
    network.delete_bridge(home)
    passed(Step.UNBRIDGED)
    home.clear()
    passed(Step.CLEARED)
    claims.release(home)


def unmount(home: Home) -> None:
    """Take away mounts of nodes; there are none unless a node's namespace did not keep them. Others are not ours."""
    places = [mount.place for mount in mounts.listed() if home.made and home.nodes in mount.place.parents]
    for place in sorted(places, reverse=True):
        processes.run("umount", "--lazy", str(place))


def clear_logs(home: Home) -> None:
    """Begin with empty logs; ``down`` leaves them for whoever wants to know why."""
    shutil.rmtree(home.logs, ignore_errors=True)
    home.logs.mkdir(mode=0o700)
