"""``multicluster registry``: check, list and show the registry, print its schema, pin endpoints."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from multicluster.cli.output import add_output_argument, counted, print_json, print_rows, print_text, say
from multicluster.cli.sources import add_registry_argument, registry_from
from multicluster.errors import AccessError

if TYPE_CHECKING:
    from multicluster.cli.main import Subparsers
    from multicluster.registry.cluster import Cluster


def register(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Add the command and its five actions."""
    parser = subparsers.add_parser("registry", help="check, list and show the registry; print its JSON Schema; pin")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    validate = actions.add_parser("validate", help="check documents; exit 1 and every problem unless all is right")
    validate.add_argument("paths", nargs="*", metavar="PATH", help="files or folders (default: $MULTICLUSTER_REGISTRY)")
    listing = actions.add_parser("list", help="list the clusters")
    listing.add_argument(
        "--selector", type=_labels, default={}, metavar="KEY=VALUE[,...]", help="only those that carry these labels"
    )
    show = actions.add_parser("show", help="show one cluster, defaults merged in")
    schema = actions.add_parser("schema", help="print the JSON Schema of the document, with all installed kinds")
    pin = actions.add_parser("pin", help="write endpoint and CA of an EKS cluster into its file; dry run by default")
    pin.add_argument("--apply", action="store_true", help="write; without it the change is printed only")
    for action in (show, pin):
        action.add_argument("name", metavar="NAME", help="the cluster's name")
    for action in (validate, listing, show, pin):
        add_registry_argument(action)
    for action in (validate, listing, show, schema, pin):
        add_output_argument(action)


def run(args: argparse.Namespace) -> int:
    """Run the action."""
    actions = {"validate": _validate, "list": _list, "show": _show, "schema": _schema, "pin": _pin}
    return actions[args.action](args)


def _validate(args: argparse.Namespace) -> int:
    from multicluster.registry.kinds import Kinds
    from multicluster.registry.load import examine_sources
    from multicluster.registry.problem import shown
    from multicluster.registry.source import from_environment

    examined, problems = examine_sources([*args.paths, *(args.registry or ())] or from_environment(), Kinds())
    problems += [doubt for one in examined for doubt in one.doubts()]
    clusters = sum(len(one.checked.clusters) for one in examined)
    if args.output == "json":
        sources = [one.source.label for one in examined]
        listed = [asdict(problem) for problem in problems]
        print_json({"valid": not problems, "clusters": clusters, "sources": sources, "problems": listed})
    else:
        for line in shown(problems):
            print(line)
    if problems:
        say(counted(len(problems), "problem"))
        return 1
    say(f"valid: {counted(clusters, 'cluster')} in {', '.join(one.source.label for one in examined)}")
    return 0


def _list(args: argparse.Namespace) -> int:
    clusters = registry_from(args).select(args.selector)
    print_rows(args, [_row(one) for one in clusters], ["name", "kind", "labels", "profiles", "cordoned", "source"])
    return 0


def _row(cluster: Cluster) -> dict[str, Any]:
    cordon = cluster.document.cordoned
    return {
        "name": cluster.name,
        "kind": cluster.kind,
        "displayName": cluster.display_name,
        "labels": dict(cluster.labels),
        "profiles": list(cluster.document.node_pools.profiles),
        "cordoned": cordon.reason if cordon else None,
        "source": cluster.source,
    }


def _show(args: argparse.Namespace) -> int:
    cluster = registry_from(args)[args.name]
    document = cluster.document.model_dump(mode="json", by_alias=True, exclude_none=True)
    if args.output == "json":
        print_json({**document, "source": cluster.source})
    else:
        import yaml

        print_text(f"# from {cluster.source}\n")
        print_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
    return 0


def _schema(_: argparse.Namespace) -> int:
    from multicluster.registry.json_schema import as_text, json_schema
    from multicluster.registry.kinds import Kinds

    print(as_text(json_schema(Kinds())), end="")
    return 0


def _pin(args: argparse.Namespace) -> int:
    import base64
    import difflib
    from pathlib import Path

    from multicluster.registry.load import load_registry
    from multicluster.registry.pin import pinned, replace_file
    from multicluster.registry.source import Source

    cluster = registry_from(args)[args.name]
    path = Path(cluster.source)
    if cluster.kind != "eks":
        say(f"multicluster: cluster {args.name!r} is of kind {cluster.kind}; only endpoints of kind eks can be pinned")
        return 2
    endpoint = cluster.access.endpoint(fresh=True)
    if endpoint.ca_pem is None:
        raise AccessError(f"the cloud names no CA for cluster {args.name!r}; there is nothing to pin")
    pins = {"endpoint": endpoint.server, "certificateAuthorityData": base64.b64encode(endpoint.ca_pem).decode()}
    with path.open(encoding="utf-8", newline="") as stream:
        old = stream.read()
    new = pinned(old, cluster=args.name, kind="eks", pins=pins)
    load_registry(Source(label=str(path), text=new))
    if args.apply and new != old:
        replace_file(path, old=old, new=new)
    diff = "".join(difflib.unified_diff(_lines(old), _lines(new), f"{path}", f"{path}"))
    _tell_pin(args, {"cluster": args.name, "file": str(path), **pins}, diff)
    return 0


def _tell_pin(args: argparse.Namespace, facts: Mapping[str, str], diff: str) -> None:
    if args.output == "json":
        print_json({**facts, "changed": bool(diff), "applied": bool(diff and args.apply)})
    else:
        print_text(diff)
    if not diff:
        say(f"cluster {args.name!r} is pinned already; nothing to change")
    else:
        say(f"written to {facts['file']}" if args.apply else "dry run; --apply writes it")


def _lines(text: str) -> list[str]:
    return [line.rstrip("\r\n") + "\n" for line in text.splitlines()]


def _labels(text: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split(",") if part]
    if not all(separator and key for key, separator, _ in pairs):
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE[,KEY=VALUE]")
    return {key.strip(): value.strip() for key, _, value in pairs}
