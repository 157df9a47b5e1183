"""The words of ``infra/testbed/run``; what they do stands in ``commands``."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from testbed import commands, names, preflight, verifier
from testbed.errors import LauncherError, MisuseError
from testbed.home import CACHE, Home
from testbed.kubelet import Taint

HOME_VARIABLE = "MULTICLUSTER_TESTBED_HOME"
INTERRUPTED = 130


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; 0 is done, 1 is not done (the reason stands on stderr), 2 is misuse, 130 is interrupted."""
    arguments = parser().parse_args(words)
    try:
        good = run(arguments)
    except (LauncherError, OSError) as error:
        sys.stderr.write(f"testbed: {error}\n")
        return 2 if isinstance(error, MisuseError) else 1
    except KeyboardInterrupt:
        sys.stderr.write(f"testbed: interrupted; {left(arguments)}\n")
        return INTERRUPTED
    return 0 if good else 1


def left(arguments: argparse.Namespace) -> str:
    """Say what an interrupted command has left, and what to do about it."""
    if arguments.command == commands.node_add:
        return f"node {arguments.name} is taken away again"
    return f"what has started still runs, end it with: {Home.at(arguments.home).command('down')}"


def run(arguments: argparse.Namespace) -> bool:
    """Do what is asked and print the answer; say whether all is well."""
    if arguments.command not in {commands.preflight, commands.build}:
        preflight.require(preflight.of_machine())
    answer: commands.Answer = arguments.command(Home.at(arguments.home), arguments)
    document = [json.dumps(answer.facts, indent=1)] if arguments.output == "json" else answer.text
    say("".join(f"{line}\n" for line in document))
    return answer.good


def say(text: str) -> None:
    """Write to stdout, to the end.

    Raises:
        LauncherError: Nobody reads it; the command itself is done.

    """
    try:
        print(text, end="", flush=True)  # noqa: T201  -- unlike write, it can do without a stdout
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # so that Python does not try again when it ends
        raise LauncherError(f"it is done, and the answer could not be written: {error}") from error


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
        "--authentication-webhook-cache-ttl", type=duration, metavar="DURATION",
        help="how long the answers of the webhook or the verifier count; default: 2m, as Kubernetes has it",
    )  # fmt: skip
    up.add_argument(
        "--verifier-argument", action="append", default=[], type=flag, metavar="-NAME=VALUE",
        help="run AWS's token verifier as part of the testbed, and let the API server ask it; write "
        "--verifier-argument=-cluster=gpu, and repeat for more",
    )  # fmt: skip


def add_nodes(verbs: Verbs) -> None:
    """Add ``node add``, ``node gpus`` and ``node remove``."""
    nodes = verbs.add_parser("node", help="let nodes join, change and leave").add_subparsers(
        required=True, metavar="COMMAND"
    )
    add = verb(nodes, "add", commands.node_add, "let a node join, and wait until it is Ready")
    add.add_argument("name", type=node_name)
    add.add_argument("--gpus", type=count, help="advertise so many nvidia.com/gpu")
    add.add_argument("--label", action="append", default=[], type=label, metavar="KEY=VALUE", help="repeat for more")
    add.add_argument("--taint", action="append", default=[], type=taint, metavar="KEY=VALUE:EFFECT", help="repeat")
    add.add_argument("--capacity", action="append", default=[], type=capacity, metavar="RESOURCE=N", help="repeat")
    add.add_argument(
        "--provider-id", default="", metavar="ID", help="for example aws:///us-east-1a/i-0123456789abcdef0"
    )
    gpus = verb(nodes, "gpus", commands.node_gpus, "advertise so many nvidia.com/gpu, as a device plugin does")
    gpus.add_argument("name", type=node_name)
    gpus.add_argument("gpus", type=count)
    remove = verb(nodes, "remove", commands.node_remove, "take a node away at once, as a cloud takes an instance")
    remove.add_argument("name", type=node_name)


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


def duration(text: str) -> str:
    """Read how long something counts, as Kubernetes writes it."""
    if not re.fullmatch(r"0|(\d+(\.\d+)?(ns|us|ms|s|m|h))+", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; write 0s, 90s or 1h30m")
    return text


def flag(text: str) -> str:
    """Read one argument of the token verifier."""
    if not re.match(r"--?[a-z]", text):
        raise argparse.ArgumentTypeError(f"{text!r} does not begin with a dash; write --verifier-argument=-NAME=VALUE")
    return text


def pair(text: str) -> tuple[str, str]:
    """Read ``KEY=VALUE``."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


def node_name(text: str) -> str:
    """Read what a node is called."""
    if not names.of_node(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no node's name: lower case letters, digits, dots, dashes, at most 63"
        )
    return text


def label(text: str) -> tuple[str, str]:
    """Read a label."""
    key, value = pair(text)
    if not names.key(key) or not names.value(value):
        raise argparse.ArgumentTypeError(f"{text!r} is no label that Kubernetes takes")
    return key, value


def capacity(text: str) -> tuple[str, str]:
    """Read an extended resource and how much of it."""
    key, value = pair(text)
    if not names.resource(key) or not value.isascii() or not value.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no extended resource; write DOMAIN/NAME=N")
    return key, value


def taint(text: str) -> Taint:
    """Read a taint."""
    try:
        return Taint.parse(text)
    except LauncherError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
