"""What ``down`` and ``status`` do where things are not a testbed's, or are not as they should be."""

from __future__ import annotations

import shutil

import pytest

from testbed import cli, cluster, commands, mounts, preflight, state, status
from testbed.errors import LauncherError
from testbed.home import Home

from .api_server import serving


@pytest.fixture
def unmounted(monkeypatch):
    """Collect what would be unmounted; the mounts are those that ``mount`` has noted."""
    gone = []
    monkeypatch.setattr(cluster.processes, "run", lambda *words: gone.append(words[-1]))
    return gone


def mounted(monkeypatch, *places):
    found = [mounts.Mount(place=place, kind="tmpfs", options=("rw",)) for place in places]
    monkeypatch.setattr(mounts, "listed", lambda: found)


def test_a_strangers_mounts_are_left_alone(tmp_path, monkeypatch, unmounted):
    home = Home.at(tmp_path)
    mounted(monkeypatch, tmp_path / "usb", tmp_path / "nodes" / "a")

    cluster.unmount(home)
    (tmp_path / ".multicluster-testbed").touch()
    cluster.unmount(home)

    assert unmounted == [str(tmp_path / "nodes" / "a")]


def test_the_innermost_mount_of_a_node_goes_first(tmp_path, monkeypatch, unmounted):
    home = Home.at(tmp_path)
    home.create()
    mounted(monkeypatch, home.nodes / "a", home.nodes / "a" / "b c", home.path.with_name("other") / "nodes" / "a")

    cluster.unmount(home)

    assert unmounted == [str(home.nodes / "a" / "b c"), str(home.nodes / "a")]


def test_nothing_is_unmounted_of_a_home_that_is_gone(tmp_path, monkeypatch, unmounted):
    home = Home.at(tmp_path / "home")
    home.create()
    shutil.rmtree(home.path)
    mounted(monkeypatch, home.nodes / "a")

    cluster.unmount(home)

    assert unmounted == []


@pytest.mark.parametrize(
    "words",
    [
        ["down", "--home", ""],
        ["kubeconfig", "--user", ""],
        ["kubeconfig", "--user", "a", "--group", ""],
    ],
)
def test_what_is_empty_names_nothing(words, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(words)

    assert caught.value.code == 2
    assert "it is empty" in capsys.readouterr().err


@pytest.mark.parametrize("path", ["~no-such-user-here/x", "/tmp/\udcff", "/tmp/a\0b"])
def test_a_path_that_no_program_can_be_told_is_no_home(path):
    with pytest.raises(LauncherError, match="cannot be a home"):
        Home.at(path)


@pytest.mark.parametrize("text", ["null", '"x"', "3"])
def test_a_state_in_another_shape_is_said_with_the_way_out(tmp_path, text):
    home = Home.at(tmp_path / "a home")
    home.create()
    home.state_file.write_text(text)

    with pytest.raises(LauncherError, match=r"down --home '.*/a home'"):
        state.load(home)


def test_a_folder_in_the_place_of_the_state_is_said_and_cleared(tmp_path):
    home = Home.at(tmp_path / "home")
    home.create()
    (home.state_file / "x").mkdir(parents=True)

    with pytest.raises(LauncherError, match="cannot be read"):
        state.load(home)
    home.clear()
    assert not home.state_file.exists()


def test_commands_to_copy_are_quoted():
    facts = {
        "home": "/a 100%s b",
        "kubernetes": "v",
        "server": "s",
        "nodes": [],
        "kubeconfig": "/a b",
        "kubectl": "/k k",
    }

    said = commands.welcome(facts)

    assert "  infra/testbed/run down --home '/a 100%s b'" in said
    assert "  export KUBECONFIG='/a b'" in said
    assert "  '/k k' get nodes" in said


def test_a_machine_that_has_died_is_not_ready_whatever_was_last_heard_of_it(tmp_path):
    heard = {"conditions": [{"type": "Ready", "status": "True"}]}
    known = [{"metadata": {"name": name}, "spec": {}, "status": heard} for name in ("gpu-1", "Not_Ours")]
    home = Home.at(tmp_path / "home")

    with serving(home, lambda *_: (200, {"items": known})):
        found = status.look(home)

    assert [(one.name, one.running, one.ready) for one in found.nodes] == [
        ("Not_Ours", False, False),
        ("gpu-1", False, False),
    ]
    assert f"  node {'gpu-1':<19} is not running" in found.lines()
    assert not found.good


def test_an_error_of_the_system_is_one_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(preflight, "of_machine", list)
    (tmp_path / "file").touch()

    assert cli.main(["kubeconfig", "--home", str(tmp_path / "file")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
