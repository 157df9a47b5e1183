# ruff: noqa: T201 - a command prints
"""Play many seeds of the crash matrix, or one again with its trace: ``python tests/crash_matrix/run.py --help``."""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from matrix.planted import PLANTS, planted
from matrix.play import Outcome, play
from matrix.tally import Tally

CHUNK = 25


def main() -> int:
    """Return 0 when no law was broken, 1 when one was."""
    arguments = read_arguments()
    if arguments.seed is not None:
        return replay(arguments.seed, arguments.plant)
    tally, began = Tally(), time.monotonic()
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    with multiprocessing.get_context("fork").Pool(arguments.jobs, plant, (arguments.plant,)) as pool:
        for outcome in pool.imap_unordered(quietly, seeds, chunksize=CHUNK):
            tally.add(outcome)
            if tally.seeds % 500 == 0:
                print(f"{tally.seeds} of {arguments.seeds} seeds, {len(tally.violations)} violations", file=sys.stderr)
    print("\n".join(tally.lines()))
    print(f"took               {time.monotonic() - began:.0f} s with {arguments.jobs} processes")
    if tally.violations:
        print(f"see one: {sys.executable} {sys.argv[0]} --seed {min(tally.violations)[0]}", file=sys.stderr)
    return 1 if tally.violations else 0


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Play seeds of the crash matrix; each is one world and its end.")
    parser.add_argument("--seeds", type=int, default=10_000, help="how many (10000)")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first one (0)")
    parser.add_argument("--seed", type=int, help="play this one only, and print its trace")
    parser.add_argument("--plant", choices=PLANTS, help="put a bug in; the matrix must find it")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many processes (as many as CPUs)")
    return parser.parse_args()


def plant(name: str | None) -> None:
    """Put the bug into this process for good."""
    planted(name).__enter__()


def quietly(seed: int) -> Outcome:
    """Play a seed, and keep its trace where it was played."""
    if seed % CHUNK == 0:
        gc.enable()
        gc.collect()
        gc.freeze()  # the clients' models are a million objects, looked through for nothing
        gc.disable()
    return play(seed).without_trace()


def replay(seed: int, bug: str | None) -> int:
    """Play one seed and print all of it."""
    with planted(bug):
        outcome = play(seed)
    print("\n".join(outcome.trace))
    print(f"overstay {outcome.overstay:.0f} of {outcome.bound:.0f} virtual seconds that it may be")
    print("\n".join(outcome.violations) or "no law was broken")
    return 1 if outcome.violations else 0


if __name__ == "__main__":
    sys.exit(main())
