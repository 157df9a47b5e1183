"""Read YAML text into plain values, strictly and fast; tell where each value stands.

Only what JSON can say is read: mappings with text keys, lists, and scalars by YAML 1.2's core rules (``no`` is a text,
a date is a text). Anchors, aliases, tags and duplicate keys are refused, so that no document is larger than its file.
PyYAML's own constructor takes seven times as long as walking the events of its C parser (1,000 clusters, 1 MB).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.error import MarkedYAMLError
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

MAX_DEPTH = 40
MAX_DIGITS = 40
"""What is longer is no number but a digest that happens to have no letters."""
MAX_QUOTED = 100
"""Characters of a key that a message repeats."""
MAX_BYTES = 10 * 1024 * 1024

Path = tuple[str | int, ...]
Take = Callable[[], Event]

_INTEGER = re.compile(r"[-+]?[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NUMERIC = frozenset("0123456789+-.")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class YamlProblem(Exception):  # noqa: N818 - becomes a RegistryDocumentError together with its neighbours
    """What is wrong with the text, and where: line and column count from 1."""

    def __init__(self, message: str, mark: Any = None) -> None:
        super().__init__(message)
        self.line = mark.line + 1 if mark else None
        self.column = mark.column + 1 if mark else None


@dataclass(frozen=True, kw_only=True)
class Position:
    """A place in a text; line and column count from 1."""

    line: int
    column: int


def parse(text: str) -> Any:
    """Return the only document in *text*, or raise YamlProblem."""
    take = _loader(text).get_event
    try:
        take()  # the stream's start
        if type(take()) is StreamEndEvent:
            raise YamlProblem("the file is empty")
        value = _value(take(), take, 0)
        _expect(take(), DocumentEndEvent)
        _expect(take(), StreamEndEvent)
    except MarkedYAMLError as error:
        raise YamlProblem(f"not readable as YAML: {error.problem}", error.problem_mark) from None
    except yaml.YAMLError as error:
        raise YamlProblem(f"not readable as YAML: {str(error).splitlines()[0]}") from None
    return value


def positions(text: str) -> dict[tuple[Path, str], Position]:
    """Map (path, ``key`` or ``value``) to its place, for a text that parse() accepts."""
    node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return {(path, part): Position(line=mark.line + 1, column=mark.column + 1) for path, part, mark in _walk(node, ())}


def _walk(node: Any, path: Path) -> Iterator[tuple[Path, str, Any]]:
    yield path, "value", node.start_mark
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*path, key.value), "key", key.start_mark
            yield from _walk(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for at, value in enumerate(node.value):
            yield from _walk(value, (*path, at))


def _loader(text: str) -> Any:
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)


def _value(event: Event, take: Take, depth: int) -> Any:
    kind = type(event)
    if kind is ScalarEvent:
        return _scalar(event)
    if kind is MappingStartEvent:
        return _mapping(event, take, depth + 1)
    if kind is SequenceStartEvent:
        return _sequence(event, take, depth + 1)
    raise YamlProblem("aliases are refused; put what clusters share under defaults", event.start_mark)


def _mapping(start: Event, take: Take, depth: int) -> dict[str, Any]:
    _refuse_ornament(start, depth)
    found: dict[str, Any] = {}
    while type(event := take()) is not MappingEndEvent:
        if type(event) is not ScalarEvent:
            raise YamlProblem("a key must be a plain text", event.start_mark)
        key = event.value
        if key in found:
            what = f"the key {key!r}" if len(key) <= MAX_QUOTED else "this key"
            raise YamlProblem(f"{what} stands twice in this mapping", event.start_mark)
        value = take()
        found[key] = _scalar(value) if type(value) is ScalarEvent else _value(value, take, depth)
    return found


def _sequence(start: Event, take: Take, depth: int) -> list[Any]:
    _refuse_ornament(start, depth)
    found: list[Any] = []
    while type(event := take()) is not SequenceEndEvent:
        found.append(_value(event, take, depth))
    return found


def _scalar(event: Any) -> Any:
    if event.tag is not None or event.anchor is not None:
        _refuse_ornament(event, 0)
    text = event.value
    if not event.implicit[0]:  # quoted
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _NUMERIC:
        return _number(text)
    return text


def _number(text: str) -> Any:
    if len(text) > MAX_DIGITS:
        return text
    if _INTEGER.fullmatch(text):
        return int(text, 10 if text.lstrip("+-").isdigit() else 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _refuse_ornament(event: Any, depth: int) -> None:
    if event.anchor is not None:
        raise YamlProblem("anchors are refused; put what clusters share under defaults", event.start_mark)
    if event.tag is not None:
        raise YamlProblem("tags are refused", event.start_mark)
    if depth > MAX_DEPTH:
        raise YamlProblem(f"nested deeper than {MAX_DEPTH} levels", event.start_mark)


def _expect(event: Event, kind: type[Event]) -> None:
    if not isinstance(event, kind):
        what = "aliases are refused" if isinstance(event, AliasEvent) else "more than one document in one file"
        raise YamlProblem(what, event.start_mark)
