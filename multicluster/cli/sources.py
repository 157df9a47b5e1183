"""The ``--registry`` option of every command that takes a cluster."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multicluster.registry.registry import Registry


def add_registry_argument(parser: argparse.ArgumentParser) -> None:
    """Give *parser* ``--registry PATH``, which may be repeated."""
    parser.add_argument(
        "--registry",
        action="append",
        metavar="PATH",
        help="a registry file or folder; may be repeated (default: $MULTICLUSTER_REGISTRY)",
    )


def registry_from(args: argparse.Namespace) -> Registry:
    """Load what ``--registry`` or the environment names, or raise RegistryDocumentError."""
    from multicluster.registry.load import load_registry

    return load_registry(*(args.registry or ()))
