"""Find the command that was asked for, run it, and turn its errors into exit codes.

A command is one file, ``multicluster/cli/NAME.py``, with two functions::

    def register(subparsers: Subparsers) -> None   # subparsers.add_parser(NAME, help=...), and its arguments
    def run(args: argparse.Namespace) -> int       # 0 fine, 1 a check failed, 2 misuse

Only the file of the command on the command line is imported. A name without a file is not shown.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import importlib.util
import os
import sys
import warnings
from collections.abc import Sequence
from importlib import metadata
from typing import Protocol, cast

from multicluster.cli.output import replace_strange_characters, say
from multicluster.errors import (
    MissingExtraError,
    MulticlusterError,
    RegistryDocumentError,
    UnknownClusterError,
    UnknownProfileError,
)

COMMANDS = {
    "registry": "check, list and show the registry; print its JSON Schema; pin endpoints",
    "token": "print a token for a cluster, as kubectl's exec plugins do",
    "kubeconfig": "write a kubeconfig whose users ask this command for tokens",
    "nodes": "list the nodes of clusters, with their GPUs",
    "pools": "list and delete node pools",
    "doctor": "check each cluster: reachable, trusted, allowed",
    "reap": "delete node pools that outlived their lease",
    "migrate": "rewrite DAG files from stock operators to clusters of a registry",
    "demo": "run the whole job on the simulator",
    "simulator": "run the offline world on its own",
}
UNWRITABLE = {errno.ENOSPC, errno.EBADF, errno.EIO, errno.EFBIG, errno.EDQUOT}
MISUSE = (RegistryDocumentError, UnknownClusterError, UnknownProfileError, MissingExtraError)

Subparsers = argparse._SubParsersAction  # noqa: SLF001 - argparse gives this type no public name


class Command(Protocol):
    """What a file in this folder must hold."""

    def register(self, subparsers: Subparsers[argparse.ArgumentParser]) -> None:
        """Add the command's parser."""
        ...

    def run(self, args: argparse.Namespace) -> int:
        """Do it and return the exit code."""
        ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command of *argv* (default: the process's) and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    replace_strange_characters()
    # requests hides this one by a filter of its own, which threads that import at the same time undo
    warnings.filterwarnings("ignore", message="SOCKS support in urllib3")
    if sys.stdout is None:
        say("multicluster: the result cannot be written to stdout: it is closed")
        return 1
    try:
        code = _run(words)
        sys.stdout.flush()
    except MulticlusterError as error:
        say(f"multicluster: {error}")
        return 2 if isinstance(error, MISUSE) else 1
    except KeyboardInterrupt:
        say("multicluster: interrupted")
        return 130
    except BrokenPipeError:
        # the reader left (`| head`): nothing more to say; the interpreter must not flush into the pipe at exit
        _discard_output()
        return 141
    except OSError as error:
        if error.errno not in UNWRITABLE or error.filename is not None:
            raise
        _discard_output()
        say(f"multicluster: the result cannot be written to stdout: {error.strerror}")
        return 1
    return code


def _discard_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(words: Sequence[str]) -> int:
    chosen = next((word for word in words if word in COMMANDS and _exists(word)), None)
    command = cast("Command", importlib.import_module(f"multicluster.cli.{chosen}")) if chosen else None
    args = _parser(chosen, command).parse_args(words)
    return command.run(args) if command else 2


def _parser(chosen: str | None, command: Command | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="multicluster", description="Many Kubernetes clusters, by name.")
    parser.add_argument("--version", action="version", version=metadata.version("airflow-multicluster"))
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, purpose in COMMANDS.items():
        if name == chosen and command:
            command.register(subparsers)
        elif _exists(name):
            subparsers.add_parser(name, help=purpose)
    return parser


def _exists(name: str) -> bool:
    return importlib.util.find_spec(f"multicluster.cli.{name}") is not None
