"""Write facts of a cluster into the text of its registry file, and change nothing else in it.

Text is inserted rather than YAML written anew, so that comments and layout stay. What comes out is read back: unless it
says exactly what was asked for, nothing is written.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from multicluster.errors import RegistryDocumentError
from multicluster.registry.yaml_text import YamlProblem, parse

ANCHORS = ("region", "clusterName")
"""Fields below which the pins look at home."""


def pinned(text: str, *, cluster: str, kind: str, pins: Mapping[str, str]) -> str:
    """Return *text* with *pins* below ``auth.KIND`` of *cluster*; unchanged where they stand there already.

    Raises RegistryDocumentError when the text is laid out in a way that cannot be changed safely.
    """
    mark, text = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
    document = parse(text)
    index = next(at for at, one in enumerate(document["clusters"]) if one["name"] == cluster)
    wanted = deepcopy(document)
    wanted["clusters"][index]["auth"][kind].update(pins)
    node = _node(
        yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)), "clusters", index, "auth", kind
    )
    changed = _edited(text, node, pins)
    try:
        understood = parse(changed) == wanted
    except YamlProblem:
        understood = False
    if not understood:
        lines = "".join(f"\n  {name}: {value}" for name, value in pins.items())
        raise RegistryDocumentError(
            f"auth.{kind} of cluster {cluster!r} is laid out too unusually; add by hand:{lines}"
        )
    return mark + changed


def replace_file(path: Path, *, old: str, new: str) -> None:
    """Replace the file's text at once, keeping its mode; refuses when it is no longer *old*. Links are followed."""
    target = Path(os.path.realpath(path))
    with target.open(encoding="utf-8", newline="") as stream:
        if stream.read() != old:
            raise RegistryDocumentError(f"{path} was changed by somebody else meanwhile; nothing is written")
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(new)
            stream.flush()
            os.fchmod(stream.fileno(), target.stat().st_mode & 0o7777)
            os.fsync(stream.fileno())
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _node(node: Any, *path: str | int) -> Any:
    for step in path:
        node = (
            node.value[step] if isinstance(step, int) else next(value for key, value in node.value if key.value == step)
        )
    return node


def _edited(text: str, node: Any, pins: Mapping[str, str]) -> str:
    entries = {key.value: (key, value) for key, value in node.value}
    edits: list[tuple[int, int, str]] = []
    for name, value in pins.items():
        if name in entries:
            there = entries[name][1]
            if there.value != value:
                edits.append((there.start_mark.index, there.end_mark.index, json.dumps(value)))
    fresh = {name: value for name, value in pins.items() if name not in entries}
    if fresh:
        edits.append(_insertion(text, node, entries, fresh))
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _insertion(text: str, node: Any, entries: Mapping[str, Any], fresh: Mapping[str, str]) -> tuple[int, int, str]:
    if node.flow_style:
        at = node.value[-1][1].end_mark.index if node.value else node.start_mark.index + 1
        quote = not node.value or text[node.value[0][0].start_mark.index] == '"'
        new = ", ".join(f"{json.dumps(name) if quote else name}: {json.dumps(value)}" for name, value in fresh.items())
        return at, at, f", {new}" if node.value else new
    anchor = next((entries[name] for name in ANCHORS if name in entries), None)
    newline = "\r\n" if "\r\n" in text else "\n"
    if anchor is None:
        first = node.value[0][0].start_mark
        lines = [f"{name}: {value}{newline}{' ' * first.column}" for name, value in fresh.items()]
        return first.index, first.index, "".join(lines)
    end = text.find("\n", anchor[1].end_mark.index)
    at = len(text) if end < 0 else end - (newline == "\r\n")
    indent = " " * anchor[0].start_mark.column
    return at, at, "".join(f"{newline}{indent}{name}: {value}" for name, value in fresh.items())
