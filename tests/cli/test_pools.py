"""What people and machines are told of node pools."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from multicluster.cli import main, pools_watch
from multicluster.kinds.eks.node_pool_options import DeadMan, EksNodePoolOptions
from multicluster.kinds.eks.node_pools import EksNodePools
from multicluster.node_pools.lease import GRACE, Lease
from multicluster.node_pools.origin import Origin
from multicluster.node_pools.pool import NodePoolSpec
from multicluster.node_pools.profile import Gpu, NodePoolProfile
from multicluster.simulator import World

ACCOUNT = "arn:aws:iam::111122223333:role/"
PROFILE = NodePoolProfile(instance_types=("g6.xlarge",), gpu=Gpu())
ORIGIN = Origin(deployment="prod", dag_id="etl", run_id="manual__2026-11-21T10:00:00+00:00", group_id="train")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def multicluster(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str, dead_man: Any = None) -> tuple[int, str, str]:
        document = json.loads(json.dumps(world.registry()))
        if dead_man is not None:
            document["clusters"][0]["nodePools"]["eks"]["deadMan"] = dead_man
        path = tmp_path / "registry.json"
        path.write_text(json.dumps(document))
        code = main([*words, "--registry", str(path)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def make(world: World) -> Callable[..., None]:
    def create(name: str = "mc-train", *, dead_man: Any = "off", origin: Origin | None = ORIGIN) -> None:
        options = EksNodePoolOptions(node_role_arn=f"{ACCOUNT}gpu-node", subnets=("subnet-a",), dead_man=dead_man)
        pools = EksNodePools(
            session=boto3.session.Session(), cluster_name="gpu-use1", region="us-east-1", options=options
        )
        now = datetime.now(UTC)
        lease = Lease(
            owner=origin.owner if origin else "a1b2",
            expires_at=now + timedelta(hours=1, seconds=30),
            ends_at=now + timedelta(hours=5),
            term=timedelta(hours=1),
            origin=origin,
        )
        pools.create(NodePoolSpec(name=name, size=2, profile=PROFILE), lease)
        world.settle()

    return create


def rows(out: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(out)
    return found


def test_pools_without_a_verb_lists_them(multicluster: Run, make: Any) -> None:
    make()

    code, out, err = multicluster("pools", "--output", "json")

    assert (code, err) == (0, "")
    assert [(row["cluster"], row["pool"]) for row in rows(out)] == [("gpu-use1", "mc-train")]


def test_where_there_are_no_pools_that_is_said(multicluster: Run) -> None:
    code, _, err = multicluster("pools")

    assert (code, err) == (0, "no node pools\n")


def test_an_option_before_the_verb_counts_as_one_behind_it(multicluster: Run, make: Any) -> None:
    make()

    _, before, _ = multicluster("pools", "--output", "json", "list", "gpu-use1")
    _, behind, _ = multicluster("pools", "list", "gpu-use1", "--output", "json")

    assert [row["pool"] for row in rows(before)] == [row["pool"] for row in rows(behind)] == ["mc-train"]


def test_a_pool_says_whose_it_is_until_when_and_what_it_used(multicluster: Run, make: Any) -> None:
    make()

    _, out, _ = multicluster("pools", "list", "--output", "json")

    row = rows(out)[0]
    assert (row["dag_id"], row["run_id"], row["group_id"]) == ("etl", ORIGIN.run_id, "train")
    assert 3600 <= row["lease_left_seconds"] <= 3630
    assert (row["machine_type"], row["gpus_per_node"], row["price_date"]) == ("g6.xlarge", 1, "2026-07-20")
    assert row["gpu_hours"] == pytest.approx(2 * row["age_seconds"] / 3600, abs=0.01)
    assert row["usd"] == pytest.approx(0.805 * row["gpu_hours"], abs=0.01)
    assert row["console"] == (
        "https://us-east-1.console.aws.amazon.com/eks/clusters/gpu-use1/nodegroups/mc-train?region=us-east-1"
    )


def test_people_see_owner_and_an_approximate_cost_with_the_date_of_its_price(multicluster: Run, make: Any) -> None:
    make()

    _, out, err = multicluster("pools")

    assert out.splitlines()[0].split()[:4] == ["CLUSTER", "POOL", "OWNER", "STATE"]
    assert f"etl / {ORIGIN.run_id} / train" in out
    assert "about $0.0" in out
    assert "(2026-07-20)" in out
    assert err == ""


def test_a_pool_of_an_unknown_origin_shows_its_owners_digest(multicluster: Run, make: Any) -> None:
    make(origin=None)

    _, out, _ = multicluster("pools")

    assert "a1b2" in out.splitlines()[1]


def test_an_armed_pool_says_until_when_and_one_that_is_off_says_so(multicluster: Run, make: Any) -> None:
    switch = DeadMan(scheduler_role_arn=f"{ACCOUNT}deadman")
    make("mc-armed", dead_man=switch)
    make("mc-unarmed")

    _, out, _ = multicluster("pools", "--output", "json")
    _, off, _ = multicluster("pools", "--output", "json", dead_man="off")

    armed = {row["pool"]: row for row in rows(out)}
    expires = datetime.fromisoformat(armed["mc-armed"]["lease_expires"])
    assert datetime.fromisoformat(armed["mc-armed"]["armed_until"]) == expires + GRACE
    assert (armed["mc-unarmed"]["armed"], armed["mc-unarmed"]["armed_until"]) == ("NOT ARMED", None)
    assert {row["armed"] for row in rows(off)} == {"off"}


def test_a_switch_that_may_not_be_asked_for_is_unknown_and_why_is_told(
    multicluster: Run, make: Any, world: World
) -> None:
    make()
    world.inject("create-denied", operation="GetSchedule", service="scheduler")

    code, out, err = multicluster("pools")

    assert code == 0
    assert "unknown" in out
    assert "gpu-use1/mc-train: whether it is armed is unknown" in err


@pytest.mark.parametrize(("columns", "first"), [(80, "gpu-use1/mc-train"), (400, "CLUSTER")])
def test_a_narrow_terminal_gets_lines_and_a_wide_one_a_table(
    multicluster: Run, make: Any, monkeypatch: pytest.MonkeyPatch, columns: int, first: str
) -> None:
    make()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))

    _, out, _ = multicluster("pools")

    lines = out.splitlines()
    assert first in lines[0]
    if columns == 80:
        assert max(map(len, lines)) <= 80
        assert any(line.startswith("  lease  1h00m, ends ") for line in lines)


@pytest.fixture
def two_looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Press Ctrl-C in the second pause; return the pauses so far."""
    pauses: list[int] = []

    def pause(seconds: int) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(pools_watch, "pause", pause)
    return pauses


def test_watch_appends_look_after_look_until_ctrl_c_which_is_no_failure(
    multicluster: Run, make: Any, two_looks: list[int]
) -> None:
    make()

    code, out, _ = multicluster("pools", "--watch", "7")

    assert (code, two_looks) == (0, [7, 7])
    assert out.count("mc-train") == 2
    assert sum(line.startswith("# 20") for line in out.splitlines()) == 2
    assert "\x1b" not in out


def test_watch_clears_a_terminal_before_each_printing(
    multicluster: Run, make: Any, two_looks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    make()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    code, out, _ = multicluster("pools", "--watch")

    assert (code, two_looks) == (0, [pools_watch.EVERY_SECONDS] * 2)
    assert out.count(pools_watch.CLEAR) == 2


def test_watch_goes_on_after_a_look_that_failed(
    multicluster: Run, make: Any, two_looks: list[int], world: World
) -> None:
    make()
    world.inject("create-denied", operation="ListNodegroups", times=1)

    code, out, err = multicluster("pools", "list", "gpu-use1", "--watch", "5")

    assert (code, len(two_looks)) == (0, 2)
    assert "ListNodegroups" in err
    assert out.count("mc-train") == 1


@pytest.mark.parametrize("every", ["0", "-1", "1.5", "often", "9" * 30])
def test_a_pause_that_is_none_is_misuse(multicluster: Run, every: str) -> None:
    with pytest.raises(SystemExit) as caught:
        multicluster("pools", "--watch", every)

    assert caught.value.code == 2


def test_a_name_with_commands_to_the_terminal_is_shown_harmless(
    multicluster: Run, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(origin=Origin(deployment="prod", dag_id="e\x1b[2Jtl", run_id="r", group_id="g"))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")

    _, out, _ = multicluster("pools")

    assert "\x1b[2J" not in out
    assert os.linesep in out
