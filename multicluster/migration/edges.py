"""Read the statements that put tasks in order, and write such statements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise, product

import libcst as cst

from multicluster.migration.reading import Reading
from multicluster.migration.vocabulary import CHAINING

Edge = tuple[str, str]
_DIRECTIONS = {"set_downstream": False, "set_upstream": True}


class _NoOrderError(Exception):
    """The statement is something else."""


def edges_of(statement: cst.BaseStatement, reading: Reading) -> list[Edge] | None:
    """Return (before, after) pairs of names; None for a statement that does something else."""
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return None
    expression = statement.body[0]
    if not isinstance(expression, cst.Expr):
        return None
    try:
        if isinstance(expression.value, cst.Call):
            return list(dict.fromkeys(_called(expression.value, reading)))
        return list(dict.fromkeys(_shifted(expression.value)[0]))
    except _NoOrderError:
        return None


def order(edges: Iterable[Edge]) -> list[str]:
    """Return statements for *edges*: one for tasks that come before the same ones, joined where one leads on."""
    after: dict[str, list[str]] = {}
    for first, then in edges:
        after.setdefault(first, []).append(then)
    grouped: dict[tuple[str, ...], list[str]] = {}
    for first, thens in after.items():
        grouped.setdefault(tuple(thens), []).append(first)
    lines = [[left, _side(thens)] for thens, firsts in grouped.items() for left in _lefts(firsts, thens)]
    return [" >> ".join(line) for line in _joined(lines)]


def _lefts(firsts: Sequence[str], thens: Sequence[str]) -> list[str]:
    # two lists cannot be put in order by one >>
    return [_side(firsts)] if len(thens) == 1 else list(firsts)


def _joined(lines: list[list[str]]) -> list[list[str]]:
    done: list[list[str]] = []
    for line in lines:
        before = next((one for one in done if one[-1] == line[0]), None)
        behind = next((one for one in done if one[0] == line[-1]), None)
        if before is not None:
            before += line[1:]
        elif behind is not None:
            behind[:0] = line[:-1]
        else:
            done.append(line)
    return done


def _side(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"[{', '.join(names)}]"


def _names(node: cst.BaseExpression) -> list[str]:
    if isinstance(node, cst.Name):
        return [node.value]
    if isinstance(node, (cst.List, cst.Tuple)):
        return [name for element in node.elements for name in _names(element.value)]
    raise _NoOrderError


def _shifted(node: cst.BaseExpression) -> tuple[list[Edge], list[str]]:
    """Return the edges of ``a >> b``, and the tasks that the next ``>>`` goes on from."""
    if not isinstance(node, cst.BinaryOperation):
        return [], _names(node)
    before, left = _shifted(node.left)
    behind, right = _shifted(node.right)
    if isinstance(node.operator, cst.RightShift):
        return [*before, *product(left, right), *behind], right
    if isinstance(node.operator, cst.LeftShift):
        return [*before, *product(right, left), *behind], right
    raise _NoOrderError


def _called(call: cst.Call, reading: Reading) -> Iterator[Edge]:
    values = [arg.value for arg in call.args if arg.keyword is None and not arg.star]
    if len(values) != len(call.args):
        raise _NoOrderError
    if reading.qualified(call.func) in CHAINING:
        for left, right in pairwise(values):
            yield from _linked(left, right)
    elif isinstance(call.func, cst.Attribute) and call.func.attr.value in _DIRECTIONS and len(values) == 1:
        here, there = _names(call.func.value), _names(values[0])
        yield from product(there, here) if _DIRECTIONS[call.func.attr.value] else product(here, there)
    else:
        raise _NoOrderError


def _linked(left: cst.BaseExpression, right: cst.BaseExpression) -> Iterator[Edge]:
    """Do as Airflow's chain does: two lists are linked pair by pair."""
    both = isinstance(left, (cst.List, cst.Tuple)) and isinstance(right, (cst.List, cst.Tuple))
    before, after = _names(left), _names(right)
    if both and len(before) != len(after):
        raise _NoOrderError
    yield from zip(before, after, strict=True) if both else product(before, after)
