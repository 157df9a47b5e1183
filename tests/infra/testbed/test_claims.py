"""Testbeds side by side: no number and no port twice, and nothing lost to the dead."""

from __future__ import annotations

import ipaddress
import itertools
import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from testbed import claims
from testbed.errors import LauncherError
from testbed.home import Home


@pytest.fixture
def shared(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "used_networks", list)
    return tmp_path / "shared"


def homes(tmp_path, count):
    return [Home.at(tmp_path / str(number)) for number in range(count)]


def test_testbeds_claim_different_numbers_and_ports(shared, tmp_path):
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda home: claims.claim(home, shared=shared), homes(tmp_path, 8)))

    assert len({one.number for one in got}) == 8
    assert len({port for one in got for port in (one.api, one.etcd, one.peer, one.registry)}) == 32


def test_a_testbed_that_asks_twice_has_one_claim(shared, tmp_path):
    home = Home.at(tmp_path)

    assert claims.claim(home, shared=shared) == claims.claim(home, shared=shared)


def test_a_claim_given_back_is_free_again(shared, tmp_path):
    one, other = homes(tmp_path, 2)
    first = claims.claim(one, shared=shared)

    claims.release(one, shared=shared)
    claims.release(one, shared=shared)

    assert claims.claim(other, shared=shared).number == first.number


def test_the_claim_of_the_dead_is_taken_over(shared, tmp_path):
    claims.claim(Home.at(tmp_path / "old"), shared=shared)
    forge(shared, claimant=[os.getpid(), 1])

    claims.claim(Home.at(tmp_path / "new"), shared=shared)

    assert list(json.loads((shared / "claims.json").read_text())) == [str(tmp_path / "new")]


def test_the_claim_of_a_testbed_that_runs_outlives_its_claimant(shared, tmp_path):
    home = Home.at(tmp_path / "old")
    claims.claim(home, shared=shared)
    forge(shared, claimant=[os.getpid(), 1])
    mark = {"MULTICLUSTER_TESTBED_MARK": str(home.path)}
    with subprocess.Popen([sys.executable, "-c", "input()"], env=mark, stdin=subprocess.PIPE) as process:
        other = claims.claim(Home.at(tmp_path / "new"), shared=shared)
        process.communicate(b"\n")

    assert other.number == claims.NUMBERS[1]


def forge(shared, claimant):
    """Let the claims be those of a process that has ended and whose number was given anew."""
    entries = json.loads((shared / "claims.json").read_text())
    (shared / "claims.json").write_text(
        json.dumps({path: one | {"claimant": claimant} for path, one in entries.items()})
    )


def test_claims_that_cannot_be_read_hold_nobody_up(shared, tmp_path):
    shared.mkdir()
    (shared / "claims.json").write_text("{")

    assert claims.claim(Home.at(tmp_path), shared=shared).number == claims.NUMBERS[0]


@pytest.mark.parametrize("text", ["[]", "null", '"x"', '{"/x": 1, "/y": {"claim": {}}, "/z": {"claimant": [1, 2]}}'])
def test_what_is_no_claim_holds_nobody_up(shared, tmp_path, text):
    shared.mkdir()
    (shared / "claims.json").write_text(text)

    claims.release(Home.at(tmp_path), shared=shared)

    assert claims.claim(Home.at(tmp_path), shared=shared).number == claims.NUMBERS[0]
    assert list(json.loads((shared / "claims.json").read_text())) == [str(tmp_path)]


def test_a_network_that_the_machine_uses_is_left_alone():
    used = [ipaddress.IPv4Network("10.180.0.0/15"), ipaddress.IPv4Network("10.182.4.0/24")]

    assert claims.free_number(set(), used) == 183
    assert claims.free_number({183, 184}, used) == 185


def test_no_free_network_is_said():
    with pytest.raises(LauncherError, match="ip route"):
        claims.free_number(set(), [ipaddress.IPv4Network("10.0.0.0/8")])


def test_a_port_that_another_testbed_has_claimed_is_not_given_out():
    free = next(iter(claims.free_ports(set())))

    assert list(itertools.islice(claims.free_ports({*claims.PORTS} - {free}), 1)) == [free]


def test_a_port_that_is_listened_on_is_not_free():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not claims.is_free("127.0.0.1", server.getsockname()[1])


def test_a_process_has_one_birth():
    assert claims.born(os.getpid()) == claims.born(os.getpid())
    assert claims.born(2**22 + 1) is None
