"""No GPU is left behind, whatever dies: laws over many seeds, and proof that the laws can be broken."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from matrix.planted import PLANTS, planted
from matrix.play import play

SEEDS, MOST = 200, 2000
RUN = Path(__file__).with_name("run.py")


@pytest.mark.timeout(300)
def test_no_law_is_broken_in_the_first_seeds():
    broken = {seed: found for seed in range(SEEDS) if (found := play(seed).violations)}

    assert broken == {}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("bug", PLANTS)
def test_a_planted_bug_is_found(bug):
    def broken_by_it(seed: int) -> bool:
        with planted(bug):
            violated = bool(play(seed).violations)
        return violated and not play(seed).violations

    assert any(broken_by_it(seed) for seed in range(MOST)), f"{bug} is found in none of {MOST} seeds"


def replayed(seed: int, hashes: str) -> str:
    command = [sys.executable, str(RUN), "--seed", str(seed)]
    environment = {**os.environ, "PYTHONHASHSEED": hashes}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False).stdout


@pytest.mark.parametrize("seed", [3, 240])
def test_a_seed_is_the_same_in_every_process(seed):
    first = replayed(seed, "1")

    assert first.count("\n") > 50
    assert first == replayed(seed, "2")


def test_a_seed_is_the_same_after_others():
    alone = play(17)
    for seed in (5, 6, 7):
        play(seed)

    assert play(17) == alone
