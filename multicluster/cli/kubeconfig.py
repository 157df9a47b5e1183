"""``multicluster kubeconfig``: write a kubeconfig whose users ask this command for tokens."""

from __future__ import annotations

import argparse
import base64
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from multicluster.cli.output import add_output_argument, print_json, say
from multicluster.cli.sources import add_registry_argument, registry_from
from multicluster.cli.token import VERSIONS
from multicluster.errors import AccessError

if TYPE_CHECKING:
    from multicluster.access.endpoint import Endpoint
    from multicluster.cli.main import Subparsers
    from multicluster.registry.cluster import Cluster

ENVIRONMENT = "MULTICLUSTER_REGISTRY"


def register(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Add ``kubeconfig``."""
    parser = subparsers.add_parser(
        "kubeconfig",
        help="write a kubeconfig whose users ask this command for tokens",
        description="Print a kubeconfig with a context for each cluster. It holds no secret: kubectl asks this command "
        "for tokens. Use: kubectl --kubeconfig <(multicluster kubeconfig) get nodes",
    )
    parser.add_argument("names", metavar="NAME", nargs="*", help="clusters (default: all); the first is current")
    parser.add_argument("--current", metavar="NAME", help="the current context (default: the first)")
    add_registry_argument(parser)
    add_output_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print the kubeconfig; 1 when a cluster could not be found, which is then left out."""
    registry = registry_from(args)
    clusters = [registry[name] for name in dict.fromkeys(args.names or registry)]
    if args.current and registry[args.current] not in clusters:
        say(f"multicluster: --current {args.current}: is not among the clusters that are written; name it too")
        return 2
    for path in args.registry or ():
        if os.pathsep in path:
            say(f"multicluster: {path!r} cannot be written down in {ENVIRONMENT}: it holds {os.pathsep!r}; rename it")
            return 2
    endpoints = {}
    for cluster in clusters:
        try:
            endpoints[cluster.name] = cluster.access.endpoint()
        except AccessError as error:
            say(f"left out: {error}")
            continue
        if "@" in (endpoints[cluster.name].proxy_url or ""):
            say(f"cluster {cluster.name!r}: its proxy's password is not written down; set HTTPS_PROXY for kubectl")
    current = args.current or next(iter(endpoints), "")
    current = current if current in endpoints else ""  # never another one than was asked for
    sources = os.pathsep.join(args.registry or ()) or os.environ.get(ENVIRONMENT, "")
    document = kubeconfig(
        {name: (registry[name], endpoint) for name, endpoint in endpoints.items()}, current=current, sources=sources
    )
    if args.output == "json":
        print_json(document)
    else:
        print(yaml.safe_dump(document, sort_keys=False), end="")
    return 0 if len(endpoints) == len(clusters) else 1


def kubeconfig(clusters: dict[str, tuple[Cluster, Endpoint]], *, current: str, sources: str) -> dict[str, Any]:
    """Return the document; *sources* are the registry's, absolute in it, for the exec plugin to find again."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": current,
        "clusters": [{"name": name, "cluster": _cluster(endpoint)} for name, (_, endpoint) in clusters.items()],
        "contexts": [{"name": name, "context": _context(name, cluster)} for name, (cluster, _) in clusters.items()],
        "users": [{"name": name, "user": {"exec": _exec(name, sources)}} for name in clusters],
    }


def _cluster(endpoint: Endpoint) -> dict[str, Any]:
    found: dict[str, Any] = {"server": endpoint.server}
    if endpoint.ca_pem is not None:
        found["certificate-authority-data"] = base64.b64encode(endpoint.ca_pem).decode()
    if not endpoint.verify_tls:
        found["insecure-skip-tls-verify"] = True
    if endpoint.tls_server_name:
        found["tls-server-name"] = endpoint.tls_server_name
    if endpoint.proxy_url and "@" not in endpoint.proxy_url:  # a user name and a password stay where they are
        found["proxy-url"] = endpoint.proxy_url
    return found


def _context(name: str, cluster: Cluster) -> dict[str, str]:
    context = {"cluster": name, "user": name}
    if cluster.pods.namespace:
        context["namespace"] = cluster.pods.namespace
    return context


def _exec(name: str, sources: str) -> dict[str, Any]:
    absolute = os.pathsep.join(str(Path(part).expanduser().absolute()) for part in sources.split(os.pathsep) if part)
    command, *arguments = own_command()
    return {
        "apiVersion": VERSIONS[0],
        "command": command,
        "args": [*arguments, "token", name],
        "env": [{"name": ENVIRONMENT, "value": absolute}],
        "interactiveMode": "Never",
        "provideClusterInfo": False,
        "installHint": "pip install airflow-multicluster",
    }


def own_command() -> list[str]:
    """Return how to start this command from anywhere: an absolute path, and arguments where it is a module."""
    called = Path(sys.argv[0])
    beside = Path(sys.executable).parent / "multicluster"
    for candidate in (called, beside):
        if candidate.name == "multicluster" and candidate.is_file():
            return [str(candidate.absolute())]
    return [sys.executable, "-c", "import sys; from multicluster.cli import main; sys.exit(main())"]
