"""``multicluster migrate``: rewrite DAG files from stock operators to clusters of a registry."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multicluster.cli.output import add_output_argument, print_json, print_text, say
from multicluster.errors import MissingExtraError

if TYPE_CHECKING:
    from multicluster.cli.main import Subparsers
    from multicluster.migration.proposal import Proposal
    from multicluster.migration.source import Migrated

MANY = 100
"""Files that take long enough to say so first."""


def register(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Add ``migrate``."""
    parser = subparsers.add_parser(
        "migrate",
        help="rewrite DAG files from stock operators to clusters of a registry",
        description="Show, as a diff, how DAG files would name clusters of a registry instead of saying how to reach "
        "them: EksPodOperator, GKEStartPodOperator, remote KubernetesPodOperator, and the chain of five tasks around "
        "an EKS node group. Behind the diff stands the registry that they need. What cannot be translated is named. "
        "Exit code 1: something is left to do by hand.",
    )
    parser.add_argument("paths", metavar="PATH", nargs="+", help="a DAG file, or a folder of them")
    parser.add_argument("--apply", action="store_true", help="write the files; without it they stay as they are")
    parser.add_argument("--registry", metavar="OUT", help="write the registry here; a file with other words is kept")
    add_output_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Migrate; 1 when something is left to do by hand, 2 when nothing could be begun."""
    try:
        from multicluster.migration.files import python_files, write
        from multicluster.migration.proposal import Proposal
        from multicluster.migration.source import migrate
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "libcst":
            raise
        raise MissingExtraError(f"migrate needs {error.name}: pip install 'airflow-multicluster[migrate]'") from error
    proposal = Proposal()
    try:
        files = python_files(map(Path, args.paths))
        if len(files) > MANY:
            say(f"reading {len(files)} files")
        migrated = [migrate(str(file), file.read_bytes(), proposal) for file in files]
        _write_registry(args.registry, proposal)
    except OSError as error:
        say(f"multicluster: {error}")
        return 2
    changed = [one for one in migrated if one.before != one.after]
    code = 1 if any(finding.by_hand for one in migrated for finding in one.findings) else 0
    if args.apply:
        for one in changed:
            try:
                write(one)
            except OSError as error:
                say(f"multicluster: {error}")
                code = 1
    _show(args, migrated, proposal)
    return code


def _write_registry(out: str | None, proposal: Proposal) -> None:
    text = proposal.yaml()
    if out is None or not text:
        return
    path = Path(out)
    if not path.exists():
        path.write_text(text, encoding="utf-8")
    elif path.read_text(encoding="utf-8") != text:
        raise FileExistsError(f"{out} exists and says something else; name another file, and merge them by hand")


def _show(args: argparse.Namespace, migrated: list[Migrated], proposal: Proposal) -> None:
    from multicluster.migration.files import diff

    findings = [finding for one in migrated for finding in one.findings]
    changed = [one for one in migrated if one.before != one.after]
    if args.output == "json":
        print_json(_as_json(args, migrated, proposal))
        return
    for one in changed:
        print_text(diff(one))
    if (text := proposal.yaml()) and not args.registry:
        print_text(f"\n# registry: what these files need (--registry OUT writes it)\n{text}")
    for finding in findings:
        say(str(finding))
    done = "written" if args.apply else "to be written with --apply"
    left = sum(finding.by_hand for finding in findings)
    say(f"{len(migrated)} files read, {len(changed)} {done}, {left} places left to do by hand")


def _as_json(args: argparse.Namespace, migrated: list[Migrated], proposal: Proposal) -> dict[str, Any]:
    from multicluster.migration.files import diff

    changed = [one for one in migrated if one.before != one.after]
    return {
        "applied": args.apply,
        "files": [{"file": one.file, "diff": diff(one)} for one in changed],
        "registry": proposal.document,
        "findings": [asdict(finding) for one in migrated for finding in one.findings],
    }
