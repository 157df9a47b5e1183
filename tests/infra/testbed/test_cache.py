"""What is built once: found without a compiler, and built again when it is not whole."""

from __future__ import annotations

import pytest

from testbed import bundle, images, preflight, processes, verifier


def build(cache, monkeypatch, content="built"):
    monkeypatch.setattr(bundle, "compile_into", lambda new: (new / bundle.BINARY).write_text(content))
    monkeypatch.setattr(verifier, "compile_to", lambda new, _: new.write_text(content))
    return [bundle.build(cache) / bundle.BINARY, verifier.build("v07", cache)]


def built(cache):
    return bundle.built(cache) is not None, verifier.built("v07", cache)


def test_what_is_built_is_found_where_there_is_no_go(tmp_path, monkeypatch):
    build(tmp_path, monkeypatch)
    bundle.go_version.cache_clear()
    monkeypatch.setenv("PATH", "/nowhere")

    assert built(tmp_path) == (True, True)


@pytest.mark.parametrize("damage", ["truncated", "empty", "gone"])
def test_what_is_not_whole_is_built_again(tmp_path, monkeypatch, damage):
    for path in build(tmp_path, monkeypatch):
        if damage == "gone":
            path.unlink()
        else:
            path.write_text("buil" if damage == "truncated" else "")
    before = built(tmp_path)

    again = build(tmp_path, monkeypatch, "built again")

    assert before == (False, False)
    assert [path.read_text() for path in again] == ["built again"] * 2
    assert built(tmp_path) == (True, True)


def test_images_that_are_not_whole_are_packed_again(tmp_path):
    busybox = tmp_path / "busybox"
    busybox.write_text("#!/bin/sh\necho sh\n")
    busybox.chmod(0o755)
    path = images.archive(tmp_path, busybox)
    whole = path.read_bytes()
    path.write_bytes(whole[:1000])

    assert images.archive(tmp_path, busybox).read_bytes() == whole


def test_programs_are_looked_for_where_they_are_started_from(tmp_path, monkeypatch):
    for program in preflight.PROGRAMS:
        (tmp_path / program).write_text("#!/bin/sh\n")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setattr(processes, "PATH", "/nowhere")
    monkeypatch.setenv("PATH", str(tmp_path))
    lacking = preflight.of_programs()
    monkeypatch.setattr(processes, "PATH", str(tmp_path))
    monkeypatch.setenv("PATH", "/nowhere")

    assert sum(one.what.startswith("the program") for one in lacking) == len(preflight.PROGRAMS)
    assert not any(one.what.startswith("the program") for one in preflight.of_programs())
