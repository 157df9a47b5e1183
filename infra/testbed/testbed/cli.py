"""The words of ``infra/testbed/run``; what they do stands in ``commands``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from testbed import commands, preflight, verifier
from testbed.errors import LauncherError
from testbed.home import CACHE, Home
from testbed.kubelet import Taint

HOME_VARIABLE = "MULTICLUSTER_TESTBED_HOME"


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; 0 is done, 1 is not done (the reason stands on stderr), 2 is misuse."""
    arguments = parser().parse_args(words)
    try:
        if arguments.command not in {commands.preflight, commands.build}:
            preflight.require(preflight.of_machine())
        answer: commands.Answer = arguments.command(Home.at(arguments.home), arguments)
    except LauncherError as error:
        sys.stderr.write(f"testbed: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write(
            f"testbed: interrupted; what has started still runs, end it with: down --home {arguments.home}\n"
        )
        return 1
    if arguments.output == "json":
        sys.stdout.write(json.dumps(answer.facts, indent=1) + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in answer.text))
    return 0 if answer.good else 1


def parser() -> argparse.ArgumentParser:
    """Describe all commands."""
    program = argparse.ArgumentParser(prog="testbed", description="A real Kubernetes on this machine, without Docker.")
    verbs = program.add_subparsers(required=True, metavar="COMMAND")
    verb(verbs, "preflight", commands.preflight, "say what this machine lacks")
    add_build(verbs)
    add_up(verbs)
    add_nodes(verbs)
    add_kubeconfig(verbs)
    verb(verbs, "status", commands.status, "say what runs; exit 1 unless all of it does")
    add_logs(verbs)
    verb(verbs, "down", commands.down, "end the testbed and take away all that it made")
    return program


Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  -- the only name it has


def verb(verbs: Verbs, name: str, command: commands.Command, help_: str) -> argparse.ArgumentParser:
    """Add a command, with the two options that all have."""
    one = verbs.add_parser(name, help=help_, description=f"{help_[0].upper()}{help_[1:]}.")
    default = os.environ.get(HOME_VARIABLE) or str(CACHE / "default")
    one.add_argument(
        "--home", type=filled, default=default, help=f"the testbed's folder; default: ${HOME_VARIABLE} or %(default)s"
    )
    one.add_argument("--output", choices=["text", "json"], default="text", help="json: one document on stdout")
    one.set_defaults(command=command)
    return one


def add_build(verbs: Verbs) -> None:
    """Add ``build``."""
    build = verb(verbs, "build", commands.build, "build Kubernetes and AWS's token verifier, once for each version")
    build.add_argument(
        "--verifier", choices=verifier.RELEASES, default="", help="build the token verifier only, of this release"
    )


def add_up(verbs: Verbs) -> None:
    """Add ``up``."""
    up = verb(verbs, "up", commands.up, "start a testbed: the control plane, then nodes without GPUs")
    up.add_argument("--nodes", type=count, default=1, help="how many, named cpu-1 and so on; default: 1")
    up.add_argument("--cluster-name", default="testbed", help="what kubeconfigs call it; default: testbed")
    up.add_argument(
        "--authentication-webhook", type=Path, metavar="FILE",
        help="a kubeconfig that leads to a TokenReview server, which is asked who a bearer token is",
    )  # fmt: skip
    up.add_argument(
        "--authentication-webhook-cache-ttl", default="2m", metavar="DURATION",
        help="how long its answers count; default: 2m, as Kubernetes has it",
    )  # fmt: skip
    up.add_argument(
        "--verifier-argument", action="append", default=[], metavar="-NAME=VALUE",
        help="run AWS's token verifier as part of the testbed, and let the API server ask it; write "
        "--verifier-argument=-cluster=gpu, and repeat for more",
    )  # fmt: skip


def add_nodes(verbs: Verbs) -> None:
    """Add ``node add``, ``node gpus`` and ``node remove``."""
    nodes = verbs.add_parser("node", help="let nodes join, change and leave").add_subparsers(
        required=True, metavar="COMMAND"
    )
    add = verb(nodes, "add", commands.node_add, "let a node join, and wait until it is Ready")
    add.add_argument("name")
    add.add_argument("--gpus", type=count, help="advertise so many nvidia.com/gpu")
    add.add_argument("--label", action="append", default=[], type=pair, metavar="KEY=VALUE", help="repeat for more")
    add.add_argument("--taint", action="append", default=[], type=taint, metavar="KEY=VALUE:EFFECT", help="repeat")
    add.add_argument("--capacity", action="append", default=[], type=pair, metavar="RESOURCE=N", help="repeat")
    add.add_argument(
        "--provider-id", default="", metavar="ID", help="for example aws:///us-east-1a/i-0123456789abcdef0"
    )
    gpus = verb(nodes, "gpus", commands.node_gpus, "advertise so many nvidia.com/gpu, as a device plugin does")
    gpus.add_argument("name")
    gpus.add_argument("gpus", type=count)
    remove = verb(nodes, "remove", commands.node_remove, "take a node away at once, as a cloud takes an instance")
    remove.add_argument("name")


def add_kubeconfig(verbs: Verbs) -> None:
    """Add ``kubeconfig``."""
    one = verb(
        verbs, "kubeconfig", commands.kubeconfig, "print the path of a kubeconfig: the administrator's, or --user's"
    )
    one.add_argument("--user", type=filled, help="issue a client certificate for this user")
    one.add_argument("--group", action="append", default=[], type=filled, help="who is in this group; repeat for more")


def add_logs(verbs: Verbs) -> None:
    """Add ``logs``."""
    logs = verb(verbs, "logs", commands.logs, "print the end of a component's log, or list the logs")
    logs.add_argument("component", nargs="?", help="for example kube-apiserver, or cpu-1/kubelet")
    logs.add_argument("--lines", type=count, default=50, help="how many; default: 50")


def filled(text: str) -> str:
    """Read what must not be empty: as a home that is this very folder, as a user the administrator."""
    if not text:
        raise argparse.ArgumentTypeError("it is empty")
    return text


def count(text: str) -> int:
    """Read a number that is not negative."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return number


def pair(text: str) -> tuple[str, str]:
    """Read ``KEY=VALUE``."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


def taint(text: str) -> Taint:
    """Read a taint."""
    try:
        return Taint.parse(text)
    except LauncherError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
