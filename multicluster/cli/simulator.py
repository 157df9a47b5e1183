"""``multicluster simulator``: run the offline world on its own, and ask a running one for faults and its report."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from multicluster.cli.output import add_output_argument, print_json, print_rows, say
from multicluster.errors import MissingExtraError

if TYPE_CHECKING:
    from multicluster.cli.main import Subparsers
    from multicluster.simulator.remote import RemoteWorld

KINDS = {"eks": "an EKS cluster", "gke": "a GKE cluster", "plain": "a cluster without a cloud, by kubeconfig"}
OPTIONS = """
OPTIONS is what a fault heeds beside --target and --times, and beside these, given as --option NAME=VALUE:
  operation    a regular expression: CreateNodegroup, nodePools.delete, 'create pods'
  service      the same: eks, sts, autoscaling, ec2, scheduler, container, compute, oauth2, kubernetes, ...
  after        let so many matching calls pass first: the nth call alone is --times 1 --option after=n-1
  probability  strike each matching call by chance, from 0 to 1; seed (a number) repeats a chance
What happens in the world happens at once, and heeds nothing but its own options. For example:
  multicluster simulator inject throttled --option operation=DeleteNodegroup --option probability=0.1 --option seed=7"""


def register(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Add ``simulator`` and its actions."""
    parser = subparsers.add_parser(
        "simulator",
        help="run the offline world on its own",
        description="Serve simulated clouds and clusters on 127.0.0.1 until Ctrl-C. Prints what a shell is to source. "
        "The actions speak to a world that runs already, by the variables it printed.",
    )
    for kind, what in KINDS.items():
        parser.add_argument(f"--{kind}", metavar="NAME", action="append", help=f"{what}; repeatable")
    parser.add_argument("--root", metavar="FOLDER", type=Path, help="keep kubeconfig, registry and CA in this folder")
    actions = parser.add_subparsers(dest="action", metavar="[ACTION]")
    add_output_argument(actions.add_parser("faults", help="list the faults that a world knows"))
    inject = actions.add_parser("inject", help="let a fault strike")
    inject.add_argument("fault")
    inject.add_argument(
        "--target", default=".*", metavar="REGEX", help="which cluster/pool, or path of a request (default: all)"
    )
    inject.add_argument("--times", type=int, metavar="N", help="how often (default: as `faults` says)")
    inject.add_argument(
        "--option", action="append", default=[], metavar="NAME=VALUE", help="another option of the fault; repeatable"
    )
    clear = actions.add_parser("clear", help="take a fault out of force, or all of them")
    clear.add_argument("fault", nargs="?", default="")
    actions.add_parser("report", help="print what is left in the clouds and what was asked of them, as JSON")


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C, or do the action."""
    try:
        return _act(args) if args.action else _serve(args)
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"the simulator needs {error.name}: pip install 'airflow-multicluster[simulator]'"
        ) from error


def _serve(args: argparse.Namespace) -> int:
    from multicluster.simulator.serve import serve

    eks, gke, plain = (tuple(getattr(args, kind) or ()) for kind in KINDS)
    if eks or gke or plain:
        return serve(eks=eks, gke=gke, plain=plain, root=args.root)
    return serve(root=args.root)


def _act(args: argparse.Namespace) -> int:
    if args.action == "faults":
        from multicluster.simulator.catalogue import rows

        print_rows(args, rows(), ("fault", "where", "times", "options", "what"))
        say(OPTIONS)
        return 0
    from multicluster.simulator.remote import RemoteWorld

    try:
        return _ask(args, RemoteWorld.from_environment())
    except (LookupError, ValueError) as error:
        say(f"multicluster: {error}")
        return 2
    except OSError as error:
        say(f"multicluster: the simulator does not answer ({error}); is it still running?")
        return 1


def _ask(args: argparse.Namespace, world: RemoteWorld) -> int:
    if args.action == "inject":
        world.inject(args.fault, target=args.target, times=args.times, **dict(_option(text) for text in args.option))
    elif args.action == "clear":
        world.remove(args.fault)
    else:
        print_json(world.report())
    return 0


def _option(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"--option {text!r} is not NAME=VALUE")
    return name, value
