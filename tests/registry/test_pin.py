"""Pins are written into the text of a registry file, and nothing else in it changes."""

from __future__ import annotations

import stat

import pytest

from multicluster import RegistryDocumentError
from multicluster.registry.pin import pinned, replace_file
from multicluster.registry.yaml_text import parse

HEAD = "apiVersion: multicluster/v1alpha1\nkind: ClusterRegistry\nclusters:\n"
PINS = {"endpoint": "https://A1.gr7.us-east-1.eks.amazonaws.com", "certificateAuthorityData": "LS0tLS1CRUdJTg=="}
BLOCK = """\
# ours
- name: other
  auth: {eks: {clusterName: other, region: us-east-1}}
- name: gpu   # the one
  auth:
    eks:
      clusterName: gpu
      region: us-east-1   # where it is
      credentials: {profile: prod}   # who we are
"""
LAYOUTS = {
    "block": BLOCK,
    "block without an anchor": "- name: gpu\n  auth:\n    eks:\n      credentials: {profile: prod}\n",
    "block at the end of the file": "- name: gpu\n  auth:\n    eks:\n      clusterName: gpu\n      region: us-east-1",
    "flow": "- {name: gpu, auth: {eks: {clusterName: gpu, region: us-east-1}}}\n",
    "flow over lines": "- name: gpu\n  auth:\n    eks: {\n"
    "      clusterName: gpu,  # it\n      region: us-east-1,  # there\n    }\n",
    "empty flow": "- name: gpu\n  auth: {eks: {}}\n",
    "json": '[{"name": "gpu", "auth": {"eks": {"clusterName": "gpu", "region": "us-east-1"}}}]\n'.replace(
        "[", "  [", 1
    ),
    "other scripts": "- name: gpu\n  displayName: 東京, é\n  auth: {eks: {clusterName: gpu, region: us-east-1}}\n",
    "one of them there": "- name: gpu\n  auth:\n    eks:\n      clusterName: gpu\n      endpoint: https://old  # old\n",
    "both there": "- name: gpu\n  auth: {eks: {endpoint: 'https://old', certificateAuthorityData: \"b2xk\"}}\n",
}


def pin(text):
    return pinned(text, cluster="gpu", kind="eks", pins=PINS)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_pins_are_added_to_every_layout_and_the_rest_stays(layout, newline):
    text = (HEAD + LAYOUTS[layout]).replace("\n", newline)
    wanted = parse(text)
    (cluster,) = [one for one in wanted["clusters"] if one["name"] == "gpu"]
    cluster["auth"]["eks"].update(PINS)

    changed = pin(text)

    assert parse(changed) == wanted
    assert [line for line in changed.splitlines() if "#" in line and "old" not in line] == [
        line for line in text.splitlines() if "#" in line and "old" not in line
    ] or layout == "flow over lines"
    assert changed.count("\r\n") == (changed.count("\n") if newline == "\r\n" else 0)


def test_a_block_keeps_its_comments_and_gets_two_lines():
    added = [line for line in pin(HEAD + BLOCK).splitlines() if line not in (HEAD + BLOCK).splitlines()]

    assert added == [f"      {name}: {value}" for name, value in PINS.items()]
    assert len(pin(HEAD + BLOCK).splitlines()) == len((HEAD + BLOCK).splitlines()) + 2


def test_pinning_twice_changes_nothing():
    once = pin(HEAD + BLOCK)

    assert pin(once) == once


def test_a_byte_order_mark_stays():
    assert pin("\ufeff" + HEAD + BLOCK) == "\ufeff" + pin(HEAD + BLOCK)


def test_json_stays_json():
    import json

    text = '{"apiVersion": "x", "clusters": [{"name": "gpu", "auth": {"eks": {}}}]}'

    assert json.loads(pin(text))["clusters"][0]["auth"]["eks"] == PINS


def test_a_layout_that_cannot_be_changed_safely_is_refused_with_the_lines_to_add():
    text = HEAD + "- name: gpu\n  auth:\n    eks:\n      ? region\n      : us-east-1\n"

    with pytest.raises(RegistryDocumentError, match="too unusually; add by hand:\n  endpoint: https://A1"):
        pin(text)


def test_a_file_is_replaced_at_once_with_its_mode_and_through_links(tmp_path):
    path, link = tmp_path / "a.yaml", tmp_path / "link.yaml"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)

    replace_file(link, old="old", new="new")

    assert path.read_text() == "new"
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.yaml", "link.yaml"]


def test_a_file_that_somebody_else_changed_is_left_alone(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("theirs")

    with pytest.raises(RegistryDocumentError, match="was changed by somebody else meanwhile"):
        replace_file(path, old="old", new="new")
    assert path.read_text() == "theirs"
