"""A testbed's folder and its state: found again, never another's, never half written."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed import state
from testbed.claims import Claim
from testbed.errors import LauncherError, MisuseError
from testbed.home import Home

CLAIM = Claim(number=187, api=20001, etcd=20002, peer=20003, registry=20004)


@pytest.fixture
def home(tmp_path):
    one = Home.at(tmp_path / "home")
    one.create()
    return one


def example(home):
    return state.State(cluster_name="c", kubernetes="v1.35.4", binaries=home.path / "bin", claim=CLAIM)


def test_two_ways_to_write_a_path_are_one_testbed(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)

    assert Home.at(tmp_path / "link" / "x").id == Home.at(str(tmp_path / "y" / ".." / "x")).id
    assert Home.at(tmp_path / "x").id != Home.at(tmp_path / "y").id


def test_the_name_of_the_bridge_fits_into_what_the_kernel_allows(home):
    assert len(home.bridge) <= 15


def test_a_home_is_for_its_owner_only(home):
    assert home.path.stat().st_mode & 0o077 == 0


def test_a_folder_with_foreign_things_is_not_taken(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")

    with pytest.raises(MisuseError, match="not a testbed's"):
        Home.at(tmp_path).create()
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("place", ["/run/testbed", "/var/run/testbed", "/var/lib/kubelet/x"])
def test_a_place_that_nodes_do_not_see_is_refused(place):
    with pytest.raises(MisuseError, match="cannot be a home"):
        Home.at(place).create()
    assert not Path(place).exists()


def test_a_foreign_folder_is_never_cleared_even_if_names_agree(tmp_path):
    (tmp_path / "pki").mkdir()
    (tmp_path / "pki" / "ca.key").write_text("not ours")

    Home.at(tmp_path).clear()

    assert (tmp_path / "pki" / "ca.key").read_text() == "not ours"


def test_clearing_leaves_the_logs(home):
    (home.pki / "sub").mkdir(parents=True)
    home.logs.mkdir()
    state.save(home, example(home))

    home.clear()
    home.clear()

    assert sorted(entry.name for entry in home.path.iterdir()) == [".multicluster-testbed", "log"]


def test_the_state_is_read_as_it_was_written(home):
    state.save(home, example(home))

    assert state.load(home) == example(home)
    assert example(home).server == "https://127.0.0.1:20001"
    assert example(home).service_address == "10.187.240.1"


def test_no_state_is_said_with_the_way_to_start(home):
    with pytest.raises(LauncherError, match=r"there is no testbed.* up --home"):
        state.load(home)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"cluster_name": "x"}', '{"claim": {"number": 1}}'])
def test_an_unreadable_state_is_said_with_the_way_out(home, text):
    home.state_file.write_text(text)

    with pytest.raises(LauncherError, match="down --home"):
        state.load(home)


def test_a_crash_while_writing_leaves_the_old_state(home, monkeypatch):
    state.save(home, example(home))
    monkeypatch.setattr("pathlib.Path.rename", lambda *_: (_ for _ in ()).throw(OSError("killed")))

    with pytest.raises(OSError, match="killed"):
        state.save(home, state.State(cluster_name="new", kubernetes="v", binaries=home.path, claim=CLAIM))
    assert state.load(home).cluster_name == "c"
