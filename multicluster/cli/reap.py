"""``multicluster reap``: find what outlived its work on all clusters, and delete it."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from multicluster.cli.output import add_output_argument, counted, print_json, print_rows, say
from multicluster.cli.sources import add_registry_argument, registry_from
from multicluster.node_pools.lease import GRACE, LATE, LONGEST

if TYPE_CHECKING:
    from multicluster.cli.main import Subparsers
    from multicluster.reaper.plan import Outcome, Plan, Report, Step, Trouble

COLUMNS = ("act", "cluster", "kind", "name", "reason")
DONE_COLUMNS = ("result", "cluster", "kind", "name", "reason")
MINUTE = timedelta(minutes=1)


def register(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Add ``reap``."""
    parser = subparsers.add_parser(
        "reap",
        help="delete node pools that outlived their lease",
        description="Look at all clusters, or at those named, and say what outlived its work, and why; with --apply "
        "delete it. Exit 1 when something is left, or a cluster could not be looked at.",
    )
    parser.add_argument("names", nargs="*", metavar="CLUSTER", help="a cluster's name in the registry (default: all)")
    parser.add_argument("--apply", action="store_true", help="delete; without it nothing is changed")
    parser.add_argument(
        "--grace",
        type=_grace,
        default=GRACE,
        metavar="MINUTES",
        help=f"how long a pool outlives its lease unharmed (default: {GRACE // MINUTE}, at least {2 * LATE // MINUTE})",
    )
    parser.add_argument(
        "--max-deletions",
        type=_count,
        default=None,
        metavar="N",
        help="delete at most N pools in this run (default: 10)",
    )
    add_output_argument(parser)
    add_registry_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print the plan; with ``--apply`` carry it out, and print what came of it."""
    from multicluster.reaper.plan import Act
    from multicluster.reaper.reaper import MOST, Reaper

    registry = registry_from(args)
    clusters = [registry[name] for name in dict.fromkeys(args.names)] or list(registry.values())
    for cluster in clusters if args.names else ():
        cluster.node_pools()  # who asks for a cluster by name is told that it cannot have any
    most = MOST if args.max_deletions is None else args.max_deletions
    reaper = Reaper(clusters, grace=args.grace, most=most)
    plan = reaper.plan()
    if args.output == "text":
        _tell_plan(args, plan)
    report = reaper.carry_out(plan) if args.apply else None
    if args.output == "json":
        print_json(_document(plan, report))
    elif report is not None:
        _tell_report(args, report)
    elif plan.of(Act.DELETE, Act.RELEASE):
        say("nothing was changed; add --apply to do it")
    return 0 if (report or plan).clean else 1


def _tell_plan(args: argparse.Namespace, plan: Plan) -> None:
    from multicluster.reaper.plan import Act

    shown = [step for step in plan.steps if step.act is not Act.LEAVE or step.problem or step.overstay(plan.made_at)]
    if shown:
        print_rows(args, [_row(step, plan) for step in shown], COLUMNS)
    pools = sum(1 for step in plan.steps if step.pool is not None)
    found = f"{counted(pools, 'node pool')} on {counted(len(plan.clusters), 'cluster')}"
    say(f"{found}, {len(plan.ours)} of them ours; {len(plan.of(Act.DELETE))} to be deleted")
    _tell_troubles(plan.troubles)


def _tell_report(args: argparse.Namespace, report: Report) -> None:
    from multicluster.reaper.plan import Result

    if report.outcomes:
        print()
        print_rows(args, [_outcome_row(one, report.plan) for one in report.outcomes], DONE_COLUMNS)
    _tell_troubles(report.troubles[len(report.plan.troubles) :])
    if report.of(Result.BUSY):
        say("what is busy now can be deleted later: run the command again")
    if report.of(Result.LIMITED):
        say(f"{len(report.of(Result.LIMITED))} left by the limit: run the command again, or raise --max-deletions")
    if report.of(Result.DONE):
        say("deletions take minutes; look at their end with: multicluster pools list")


def _tell_troubles(troubles: Iterable[Trouble]) -> None:
    for trouble in troubles:
        say(f"multicluster: cluster {trouble.cluster!r}: {trouble.text}")


def _document(plan: Plan, report: Report | None) -> dict[str, Any]:
    outcomes = {id(one.step): one for one in report.outcomes} if report else {}
    rows = []
    for step in plan.steps:
        outcome = outcomes.get(id(step))
        came = {"result": outcome.result.value, "result_reason": outcome.reason} if outcome else {"result": None}
        rows.append({**_row(step, plan), **came})
    troubles = (report or plan).troubles
    return {
        "made_at": plan.made_at.isoformat(),
        "applied": report is not None,
        "clean": (report or plan).clean,
        "steps": rows,
        "troubles": [{"cluster": one.cluster, "text": one.text} for one in troubles],
    }


def _row(step: Step, plan: Plan) -> dict[str, Any]:
    lease = step.pool.lease if step.pool else None
    origin = lease.origin if lease else None
    return {
        "act": step.act.value,
        "cluster": step.cluster,
        "kind": step.kind.value,
        "name": step.name,
        "reason": f"{step.reason}; {step.problem}" if step.problem else step.reason,
        "status": step.pool.status if step.pool else None,
        "owner": lease.owner if lease else None,
        "dag_id": origin.dag_id if origin else None,
        "run_id": origin.run_id if origin else None,
        "overstay_seconds": int(step.overstay(plan.made_at).total_seconds()),
    }


def _outcome_row(outcome: Outcome, plan: Plan) -> dict[str, Any]:
    return {**_row(outcome.step, plan), "result": outcome.result.value, "reason": outcome.reason}


def _grace(text: str) -> timedelta:
    grace = min(_count(text), LONGEST // MINUTE) * MINUTE
    if grace < 2 * LATE:
        raise argparse.ArgumentTypeError(
            f"must be at least {2 * LATE // MINUTE} minutes: a lease may be renewed until {LATE // MINUTE} minutes "
            "after its expiry"
        )
    return grace


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, 0 or more")
    return int(text)
