"""Label selectors, read as k8s.io/apimachinery/pkg/labels reads them, with its words for what it cannot read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from multicluster.simulator.kubernetes.names import key_faults, value_faults
from multicluster.simulator.kubernetes.status import ApiError, invalid_value

Labels = Mapping[str, str]
Requirement = Callable[[Labels], bool]
_TOKEN = re.compile(r"\s*(==|!=|[=!(),<>]|[^=!(),<>\s]+)")
_SYMBOLS = ("==", "!=", "=", "!", "(", ")", ",", "<", ">", "")
_COMPARED = ("=", "==", "!=", "<", ">")
_OPERATORS = "in, notin, =, ==, !=, gt, lt"


def label_test(selector: str) -> Requirement:
    """Compile a label selector. Raises `ApiError` 400 for one that cannot be read."""
    try:
        requirements = _Reader(selector).requirements()
    except ValueError as error:
        raise ApiError(400, str(error)) from error
    return lambda labels: all(requirement(labels) for requirement in requirements)


class _Reader:
    """Reads a selector token by word; the empty token is the end."""

    def __init__(self, selector: str) -> None:
        self._tokens = _TOKEN.findall(selector)

    def requirements(self) -> list[Requirement]:
        """Read the whole selector. Raises ValueError."""
        found: list[Requirement] = []
        while (word := self._next()) != "":
            if word in _SYMBOLS and word != "!":
                raise ValueError(f"found '{word}', expected: !, identifier, or 'end of string'")
            try:
                found.append(self._requirement())
            except ValueError as error:
                raise ValueError(f"unable to parse requirement: {error}") from error
            word = self._take()
            if word not in ("", ","):
                raise ValueError(f"found '{word}', expected: ',' or 'end of string'")
            after = self._next()
            if word == "," and after in _SYMBOLS and after != "!":
                raise ValueError(f"found '{after}', expected: identifier after ','")
        return found

    def _next(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def _take(self) -> str:
        return self._tokens.pop(0) if self._tokens else ""

    def _requirement(self) -> Requirement:
        key, absent = self._take(), False
        if key == "!":
            key, absent = self._take(), True
        if key in _SYMBOLS:
            raise ValueError(f"found '{key}', expected: identifier")
        if faults := key_faults(key):
            raise ValueError(invalid_value("<nil>", key, "; ".join(faults)).text)
        if self._next() in ("", ","):
            return lambda labels: (key in labels) != absent
        operator = self._take()
        if operator in _COMPARED:
            return _compared(key, operator, self._value())
        if operator not in ("in", "notin"):
            raise ValueError(f"found '{operator}', expected: {_OPERATORS}")
        values = self._values()
        for index, value in enumerate(sorted(values)):
            _check_value(f"values[{index}][{key}]", value)
        return lambda labels: (labels.get(key) in values) == (operator == "in")

    def _value(self) -> str:
        if self._next() in ("", ","):
            return ""
        word = self._take()
        if word in _SYMBOLS:
            raise ValueError(f"found '{word}', expected: identifier")
        return word

    def _values(self) -> set[str]:
        word, values, wanted = self._take(), set(), True
        if word != "(":
            raise ValueError(f"found '{word}' expected: '('")
        while (word := self._take()) != ")":
            if word == ",":
                values |= {""} if wanted else set()
                wanted = True
            elif word in _SYMBOLS or not wanted:
                raise ValueError(f"found '{word}', expected: ',' or ')'")
            else:
                values.add(word)
                wanted = False
        return values | ({""} if wanted else set())


def _compared(key: str, operator: str, value: str) -> Requirement:
    if operator in ("<", ">"):
        if not re.fullmatch(r"-?\d+", value):
            why = "for 'Gt', 'Lt' operators, the value must be an integer"
            raise ValueError(invalid_value("values[0]", value, why).text)
        return lambda labels: _beyond(labels.get(key, ""), operator, int(value))
    _check_value(f"values[0][{key}]", value)
    return lambda labels: (labels.get(key) == value) == (operator != "!=")


def _beyond(held: str, operator: str, bound: int) -> bool:
    if not re.fullmatch(r"-?\d+", held):
        return False
    return int(held) > bound if operator == ">" else int(held) < bound


def _check_value(path: str, value: str) -> None:
    if faults := value_faults(value):
        raise ValueError(invalid_value(path, value, "; ".join(faults)).text)
