"""What a newcomer is told before anything is tried."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from testbed import preflight
from testbed.errors import LauncherError


def test_another_system_than_linux_is_told_at_once_where_to_go():
    (only,) = preflight.of_machine(system="darwin", user=lambda: 0)

    assert "Linux only" in only.what
    assert "virtual machine" in only.remedy


def test_another_user_than_root_is_told_so():
    (only,) = preflight.of_machine(system="linux", user=lambda: 1000)

    assert "not root" in only.what
    assert "sudo" in only.remedy


def test_root_on_linux_lacks_nothing_of_that():
    assert preflight.of_machine(system="linux", user=lambda: 0) == []


def test_every_missing_program_is_named_with_its_package():
    lacking = preflight.of_programs(which=lambda _: None)

    named = {one.what.split()[2]: one.package for one in lacking if one.what.startswith("the program")}
    assert named == preflight.PROGRAMS


def test_all_that_is_missing_is_said_in_one_answer_with_one_command():
    lacking = preflight.of_programs(which=lambda _: None)

    with pytest.raises(LauncherError) as caught:
        preflight.require(lacking)
    lines = str(caught.value).splitlines()
    assert len([line for line in lines if line.startswith("  - ")]) == len(lacking)
    assert lines[-1].startswith("  On Debian: apt-get install ")
    assert {"containerd", "runc", "iproute2", "util-linux"} <= set(lines[-1].split())


def test_a_busybox_that_needs_libraries_is_as_good_as_none(tmp_path):
    dynamic, static = tmp_path / "dynamic", tmp_path / "static"
    dynamic.write_bytes(b"\x7fELF" + bytes(100) + b"/lib64/ld-linux-x86-64.so.2\0")
    static.write_bytes(b"\x7fELF" + bytes(100))

    assert preflight.static_busybox(static)
    assert not preflight.static_busybox(dynamic)
    assert not preflight.static_busybox(tmp_path / "absent")


def test_the_python_of_these_tests_is_seen_to_be_dynamic():
    if b"ld-linux" not in Path(sys.executable).resolve().read_bytes():
        pytest.skip("this Python is linked statically")

    assert not preflight.static_busybox(Path(sys.executable).resolve())


def test_a_kernel_is_told_all_that_it_lacks(tmp_path):
    (tmp_path / "filesystems").write_text("nodev\ttmpfs\nnodev\toverlayed\n")

    overlay, controllers = preflight.of_kernel(tmp_path / "filesystems", lambda: {"cpu", "cpuset", "blkio"})

    assert "overlayfs" in overlay.what
    assert controllers.what.endswith("memory, pids")


@pytest.mark.parametrize(("version", "lacks"), [("go1.26.8", 0), ("go1.21.0", 0), ("go1.20.14", 1), ("", 1)])
def test_go_must_be_able_to_fetch_a_newer_one(version, lacks):
    assert len(preflight.of_build(version=lambda: version)) == lacks
