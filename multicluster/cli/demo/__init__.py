"""``multicluster demo``: the whole job in one terminal, with the proof at the end."""

from __future__ import annotations

import argparse
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from multicluster.cli.demo.grounds import GROUNDS, refusal, told
from multicluster.cli.demo.scenarios import SCENARIOS
from multicluster.cli.output import add_output_argument, print_json, say

if TYPE_CHECKING:
    from multicluster.cli.demo.facts import Facts
    from multicluster.cli.demo.scenarios import Scenario
    from multicluster.cli.demo.workshop import Workshop
    from multicluster.cli.main import Subparsers


def register(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Add ``demo``."""
    stories = "\n".join(f"  {one.name:<18} {one.story}" for one in SCENARIOS.values())
    parser = subparsers.add_parser(
        "demo",
        help="run the whole job on the simulator",
        description="Rent a GPU node in EKS, run two pods on it, give it back, prove it gone; then the same in GKE.\n"
        "Clouds and clusters are simulated on 127.0.0.1; containers run as local processes of your user.\n"
        "With --ground testbed, clusters, nodes and containers are real ones (as root, after `make testbed`).",
        epilog=f"scenarios:\n{stories}\n\nexit code: 0 when the end is the promised one, 1 when it is not",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--scenario", choices=SCENARIOS, default="ok", help="what happens (default: ok)")
    parser.add_argument("--ground", choices=GROUNDS, default="simulator", help="what clusters are (default: simulator)")
    parser.add_argument("--ui", action="store_true", help="run a real `airflow standalone` in the world, until Ctrl-C")
    parser.add_argument("--verbose", action="store_true", help="show Airflow's own log too, on stderr")
    add_output_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Run the demo."""
    from multicluster.cli.demo.airflow_process import require_airflow

    require_airflow()
    signal.signal(signal.SIGTERM, leave)
    if args.ui and args.output == "json":
        say("multicluster: --ui runs until Ctrl-C and has no result; leave out --output json")
        return 2
    if reason := refusal(args.ground, SCENARIOS[args.scenario]):
        say(f"multicluster: {reason}")
        return 2
    with told():
        return _serve(args) if args.ui else _play(SCENARIOS[args.scenario], args)


def _serve(args: argparse.Namespace) -> int:
    from multicluster.cli.demo.ui import serve_ui
    from multicluster.cli.demo.workshop import cache_folder

    return serve_ui(SCENARIOS[args.scenario], cache_folder(), ground=args.ground)


def leave(_number: int, _frame: object) -> NoReturn:
    """End as a program does that was asked to, with everything cleaned up."""
    sys.exit(143)


def _play(scenario: Scenario, args: argparse.Namespace) -> int:
    from multicluster.cli.demo.outcome import differences
    from multicluster.cli.demo.play import Stage, play
    from multicluster.cli.demo.screen import screen
    from multicluster.cli.demo.workshop import Workshop, cache_folder

    as_json = args.output == "json"
    workshop = Workshop(scenario.name, cache_folder())
    try:
        with screen(sys.stderr if as_json else sys.stdout, plain=as_json or args.verbose) as shown:
            stage = Stage(home=workshop.home, log=workshop.log, screen=shown, ground=args.ground, echo=args.verbose)
            facts = play(scenario, stage)
        found = differences(scenario, facts)
        _report(scenario, facts, found, as_json=as_json)
        return 1 if found else 0
    finally:
        _say_where(workshop)


def _report(scenario: Scenario, facts: Facts, found: list[str], *, as_json: bool) -> None:
    from multicluster.cli.demo.facts import to_document
    from multicluster.cli.demo.proof import print_end

    if as_json:
        print_json(to_document(scenario.name, facts, found))
    else:
        print_end(facts, scenario.story, found, sys.stdout)


def _say_where(workshop: Workshop) -> None:
    kept = workshop.close()
    sys.stdout.flush()
    if kept is not None:
        say(f"Airflow's own log: {kept}")
