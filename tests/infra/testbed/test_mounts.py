"""Mounts as the kernel lists them, whatever their places are called."""

from __future__ import annotations

import os
from pathlib import Path

from testbed import mounts


def test_a_place_in_any_encoding_is_read(tmp_path):
    names = ["/mnt/Übung".encode(), b"/mnt/caf\xe9", b"/mnt/a\\040b", b"/mnt/a\\134b", b"/mnt/a\\011b\\012c"]
    (tmp_path / "mounts").write_bytes(b"".join(b"none %b tmpfs rw,mode=0755 0 0\n" % name for name in names))

    found = mounts.listed(tmp_path / "mounts")

    expected = ["/mnt/Übung", os.fsdecode(b"/mnt/caf\xe9"), "/mnt/a b", "/mnt/a\\b", "/mnt/a\tb\nc"]
    assert [one.place for one in found] == [Path(name) for name in expected]
    assert {(one.kind, one.options) for one in found} == {("tmpfs", ("rw", "mode=0755"))}


def test_the_mounts_of_this_machine_are_read():
    assert Path("/proc") in {one.place for one in mounts.listed() if one.kind == "proc"}
