"""``make conformance`` needs a testbed; without one it does not look as if all were well."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CASES = Path(__file__).with_name("kubernetes")


def test_conformance_without_a_testbed_ends_with_1_and_the_way_to_start_one(tmp_path):
    command = [sys.executable, "-m", "pytest", str(CASES), "--both-grounds", "--quiet", "-p", "no:cacheprovider"]
    environment = {**os.environ, "MULTICLUSTER_TESTBED_HOME": str(tmp_path / "none")}

    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=110, check=False)

    assert done.returncode == 1
    assert "no testbed runs; start one: make testbed" in done.stdout + done.stderr
    assert "passed" not in done.stdout


def test_the_makefile_demands_both_grounds():
    makefile = (CASES.parents[2] / "Makefile").read_text()

    recipe = makefile.partition("\nconformance:")[2].partition("\n\n")[0]
    assert "tests/conformance/kubernetes --both-grounds" in recipe
