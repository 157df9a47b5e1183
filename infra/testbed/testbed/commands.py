"""What each command does, and what it answers."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from testbed import bundle, cluster, node, state, verifier
from testbed import kubeconfig as kubeconfigs
from testbed import logs as logfiles
from testbed import preflight as checks
from testbed import status as condition
from testbed.control_plane import Webhook
from testbed.errors import MisuseError
from testbed.home import Home
from testbed.locks import SHARED, locked


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a command has to say: facts for machines, lines for people, and whether all is well."""

    facts: dict[str, Any] = field(default_factory=dict)
    text: list[str] = field(default_factory=list)
    good: bool = True


Command = Callable[[Home, argparse.Namespace], Answer]


def preflight(_: Home, __: argparse.Namespace) -> Answer:
    """Name everything that is missing at once."""
    missing = checks.missing()
    found = [{"what": one.what, "remedy": one.remedy} for one in missing]
    facts = {"missing": found, "built": checks.built()}
    lines = checks.report(missing) or ["nothing is missing"]
    return Answer(facts=facts, text=lines, good=not missing)


def build(_: Home, arguments: argparse.Namespace) -> Answer:
    """Build once; the answer holds where the binaries are, kubectl among them."""
    kubernetes = bool(arguments.verifier) or checks.built()
    there = kubernetes and verifier.built(arguments.verifier or verifier.NEWEST)
    checks.require([] if there else checks.of_build())
    if arguments.verifier:
        program = verifier.build(arguments.verifier)
        return Answer(facts={"verifier": str(program), "judge": verifier.name(arguments.verifier)}, text=[str(program)])
    binaries, program = bundle.build(), verifier.build()
    facts = {
        "binaries": str(binaries),
        "kubectl": str(binaries / "kubectl"),
        "kubernetes": bundle.kubernetes_version(),
        "verifier": str(program),
        "judge": verifier.name(),
    }
    return Answer(facts=facts, text=[str(binaries)])


def up(home: Home, arguments: argparse.Namespace) -> Answer:
    """Start a testbed; the answer holds all that a caller needs to reach it."""
    wanted = cluster.Wanted(
        cluster_name=arguments.cluster_name,
        nodes=arguments.nodes,
        webhook=webhook(home, arguments),
        verifier=tuple(arguments.verifier_argument),
    )
    checks.require(checks.missing())
    with alone(home):
        running = cluster.up(home, wanted)
        names = node.names(home)
    path, kubectl = home.kubeconfig(cluster.ADMIN), running.binaries / "kubectl"
    facts = {
        "home": str(home.path),
        "clusterName": running.cluster_name,
        "server": running.server,
        "kubernetes": running.kubernetes,
        "kubeconfig": str(path),
        "kubectl": str(kubectl),
        "nodes": names,
        "judge": verifier.name() if running.verifier else "",
        "logs": str(home.logs),
    }
    return Answer(facts=facts, text=welcome(facts))


def webhook(home: Home, arguments: argparse.Namespace) -> Webhook | None:
    """Find out whom the API server asks about bearer tokens: the caller's webhook, the testbed's own, or nobody.

    Raises:
        MisuseError: Both are named, or the caller's is not there, or neither is named but how long answers count.

    """
    cache_ttl = arguments.authentication_webhook_cache_ttl
    file = arguments.authentication_webhook and arguments.authentication_webhook.resolve()
    if arguments.verifier_argument:
        if file:
            raise MisuseError("--verifier-argument and --authentication-webhook exclude each other")
        file = home.verifier_kubeconfig
    elif file and not file.is_file():
        raise MisuseError(f"--authentication-webhook {file}: there is no such file")
    if cache_ttl and not file:
        raise MisuseError("--authentication-webhook-cache-ttl needs --authentication-webhook or --verifier-argument")
    return Webhook(file=file, cache_ttl=cache_ttl or "2m") if file else None


def welcome(facts: dict[str, Any]) -> list[str]:
    """Say what runs and what one can do with it."""
    command = Home.at(facts["home"]).command
    return [
        f"Kubernetes {facts['kubernetes']} runs at {facts['server']}; nodes: {', '.join(facts['nodes']) or 'none'}",
        f"  export KUBECONFIG={shlex.quote(facts['kubeconfig'])}",
        f"  {shlex.quote(facts['kubectl'])} get nodes",
        f"  {command('node add gpu-1 --gpus 1 --taint nvidia.com/gpu=present:NoSchedule')}",
        f"  {command('status')}",
        f"  {command('down')}",
    ]


def node_add(home: Home, arguments: argparse.Namespace) -> Answer:
    """Let one node join."""
    gpus = [] if arguments.gpus is None else [(node.GPU, str(arguments.gpus))]
    capacity = once("--capacity", [*arguments.capacity, *gpus])
    wanted = node.Node(
        name=arguments.name,
        labels=once("--label", arguments.label),
        taints=tuple(arguments.taint),
        capacity=capacity,
        provider_id=arguments.provider_id,
    )
    with beside_others(home):
        facts = node.add(home, state.load(home), wanted)
    return Answer(facts=facts, text=[f"node {wanted.name} is Ready"])


def once(option: str, pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Take each key once.

    Raises:
        MisuseError: One is given twice, and only one of its values could count.

    """
    if twice := node.repeated([key for key, _ in pairs]):
        raise MisuseError(f"{option}: {twice} is given twice")
    return dict(pairs)


def node_gpus(home: Home, arguments: argparse.Namespace) -> Answer:
    """Advertise GPUs on a node that has joined."""
    capacity = {node.GPU: str(arguments.gpus)}
    with beside_others(home):
        node.advertise(home, state.load(home), arguments.name, capacity)
    facts = {"name": arguments.name, "capacity": capacity}
    return Answer(facts=facts, text=[f"node {arguments.name} advertises {arguments.gpus} {node.GPU}"])


def node_remove(home: Home, arguments: argparse.Namespace) -> Answer:
    """Take a node away; one that is gone already is as good."""
    with beside_others(home):
        node.remove(home, state.load(home), node.Node(name=arguments.name).name)
    return Answer(facts={"name": arguments.name}, text=[f"node {arguments.name} is gone"])


def kubeconfig(home: Home, arguments: argparse.Namespace) -> Answer:
    """Give the administrator's kubeconfig, or issue one."""
    user, groups = arguments.user or cluster.ADMIN, arguments.group
    if not arguments.user and groups:
        raise MisuseError("--group needs --user: a certificate is somebody's")
    if arguments.user == cluster.ADMIN:
        raise MisuseError(f"{cluster.ADMIN!r} is the administrator's own name; choose another --user")
    with beside_others(home):
        running = state.load(home)
        path = home.kubeconfig(user)
        if arguments.user:
            path = kubeconfigs.write(home, running, user=user, groups=groups)
    facts = {"kubeconfig": str(path), "user": user, "groups": groups or ([] if arguments.user else [*cluster.ADMINS])}
    return Answer(facts=facts, text=[str(path)])


def status(home: Home, _: argparse.Namespace) -> Answer:
    """Say what runs."""
    found = condition.look(home)
    return Answer(facts=found.facts(), text=found.lines(), good=found.good)


def logs(home: Home, arguments: argparse.Namespace) -> Answer:
    """Print the end of one log, or the names of all."""
    if not arguments.component:
        names = logfiles.names(home)
        return Answer(facts={"components": names}, text=names)
    path, lines = logfiles.tail(home, arguments.component, arguments.lines)
    return Answer(facts={"path": str(path), "lines": lines}, text=lines)


def down(home: Home, _: argparse.Namespace) -> Answer:
    """End the testbed; it not running is as good."""
    with alone(home):
        cluster.down(home)
    return Answer(facts={"home": str(home.path)}, text=[f"nothing of the testbed at {home.path} is left but its logs"])


def alone(home: Home) -> AbstractContextManager[None]:
    """Let no other command work on this testbed meanwhile."""
    return locked(lock(home), waiting="another command works on this testbed; waiting for it to end")


def beside_others(home: Home) -> AbstractContextManager[None]:
    """Let others work on this testbed too, but let nobody start or end it."""
    return locked(lock(home), shared=True, waiting="the testbed is being started or ended; waiting")


def lock(home: Home) -> Any:
    """Name the lock of a testbed; it stands outside of its home, which may not exist."""
    return SHARED / f"{home.id}.lock"
