"""docs/what-happens-when.md and docs/leases.md say what the code does, and name tests that exist."""

from __future__ import annotations

import inspect
import re
from datetime import timedelta
from pathlib import Path

import pytest

from multicluster.brackets.request import A_DAY, request_pool
from multicluster.node_pools.lease import GRACE, LATE
from multicluster.node_pools.prices import bundled

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "what-happens-when.md").read_text("utf-8")
LEASES = (ROOT / "docs" / "leases.md").read_text("utf-8")
PROOFS = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(("file", "test"), PROOFS)
def test_every_proof_is_a_test(file, test):
    assert re.search(rf"^def {test}\(", (ROOT / file).read_text("utf-8"), flags=re.MULTILINE)


def test_every_row_has_a_proof_and_every_proof_is_one_of_a_row():
    rows, proofs = PAGE.split("## The proofs")
    told = [set(re.findall(r"\[(\d+)\]", line)) for line in rows.splitlines() if line.startswith("| ")]
    body = [numbers for numbers, line in zip(told, _rows(rows), strict=True) if not line.startswith("| What ")]

    assert all(body)
    assert set().union(*body) == set(re.findall(r"^\| (\d+) \|", proofs, flags=re.MULTILINE))


def _rows(text):
    return [line for line in text.splitlines() if line.startswith("| ")]


def test_every_example_is_its_time_at_the_price_of_the_list():
    price = bundled().price("eks", "us-east-1", "p5.48xlarge")
    examples = re.findall(r"(\d+) min: \$(\d+)", PAGE)

    assert price.date in PAGE
    assert examples
    assert [int(usd) for _, usd in examples] == [
        round(int(minutes) / 60 * price.usd_per_hour) for minutes, _ in examples
    ]


def test_times_are_those_of_the_code():
    term, grace = inspect.signature(request_pool).parameters["term"].default // MINUTE, GRACE // MINUTE

    assert f"T = {term} min (a lease's term), G = {grace} min (grace), M = {A_DAY // timedelta(hours=1)} h" in PAGE
    assert set(re.findall(r"T \+ G \+ 1 min = (\d+) min", PAGE)) == {str(term + grace + 1)}
    late = re.search(r"^\| late \|.*\| fixed \| (\d+) minutes \|$", LEASES, flags=re.MULTILINE)
    assert late
    assert int(late[1]) == LATE // MINUTE


def test_every_metric_is_told():
    names = re.findall(
        r'^[A-Z_]+ = "(multicluster\.[\w.]+)',
        (ROOT / "providers/airflow_multicluster/stats.py").read_text(),
        flags=re.MULTILINE,
    )

    assert len(names) > 5
    assert [name for name in names if f"`{name.rstrip('.')}" not in LEASES] == []
