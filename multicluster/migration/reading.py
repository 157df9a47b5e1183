"""Know a DAG file: where its nodes stand, what its names mean, which values are plain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, cast

import libcst as cst
from libcst.metadata import (
    MetadataWrapper,
    ParentNodeProvider,
    PositionProvider,
    QualifiedNameProvider,
    ScopeProvider,
)

from multicluster.migration.finding import Finding, UntranslatableError
from multicluster.migration.vocabulary import ROLES, Role

_FILL = "write the value itself here, or bind it once in this file, and run this command again"


class Reading:
    """A parsed file. Nodes are those of ``module``; raises libcst.ParserSyntaxError when it is not Python."""

    def __init__(self, file: str, source: bytes) -> None:
        self.file = file
        self._wrapper = MetadataWrapper(cst.parse_module(source))
        self.module = self._wrapper.module
        self._positions = self._wrapper.resolve(PositionProvider)
        self._qualified = self._wrapper.resolve(QualifiedNameProvider)
        self._parents = self._wrapper.resolve(ParentNodeProvider)
        scopes = {scope for scope in self._wrapper.resolve(ScopeProvider).values() if scope is not None}
        self.bindings = Counter(one.name for scope in scopes for one in scope.assignments)
        assigned = _Assigned()
        self.module.visit(assigned)
        self._bound = {name: node for name, node in assigned.found.items() if self.bindings[name] == 1}

    def line(self, node: cst.CSTNode) -> int:
        """Return the line, from 1."""
        return int(self._positions[node].start.line)

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """Return what the node stands in."""
        return self._parents.get(node)

    def code(self, node: cst.CSTNode) -> str:
        """Return the node's text."""
        return self.module.code_for_node(node)

    def finding(self, node: cst.CSTNode, what: str, why: str, do: str, *, by_hand: bool = True) -> Finding:
        """Return a finding about the node."""
        return Finding(file=self.file, line=self.line(node), what=what, why=why, do=do, by_hand=by_hand)

    def qualified(self, node: cst.CSTNode) -> str:
        """Return the full name that an expression has by the imports, or an empty text."""
        names = self._qualified.get(node, ())
        found = sorted(name.name for name in cast("Iterable[Any]", names() if callable(names) else names))
        return found[0] if found else ""

    def role(self, node: cst.CSTNode) -> Role | None:
        """Return what the class is for that an expression names."""
        return ROLES.get(self.qualified(node))

    def bound(self, node: cst.BaseExpression) -> cst.BaseExpression:
        """Return what a name was bound to, where that happens once in the file; else the node."""
        return self._bound.get(node.value, node) if isinstance(node, cst.Name) else node

    def value(self, node: cst.BaseExpression) -> Any:
        """Return a plain value; raises UntranslatableError for what is known at run time only, and for templates."""
        value = self._value(node, depth=0)
        if isinstance(value, str) and ("{{" in value or "{%" in value):
            raise UntranslatableError(f"{self.code(node)} is a template", _FILL)
        return value

    def keys(self, node: cst.BaseExpression) -> frozenset[str] | None:
        """Return the keys of a dict, even where its values are not plain; None where they are not known."""
        node = self.bound(node)
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "dict":
            names = [arg.keyword.value if arg.keyword else None for arg in node.args]
        elif isinstance(node, cst.Dict):
            names = [_text(one.key) if isinstance(one, cst.DictElement) else None for one in node.elements]
        else:
            return None
        return None if None in names else frozenset(name for name in names if name is not None)

    def _value(self, node: cst.BaseExpression, depth: int) -> Any:
        depth += 1
        if depth > 50:  # noqa: PLR2004 - a name bound to itself
            raise UntranslatableError(f"{self.code(node)} goes round in circles", _FILL)
        bound = self.bound(node)
        if bound is not node:
            return self._value(bound, depth)
        if isinstance(node, (cst.List, cst.Tuple)) and all(isinstance(one, cst.Element) for one in node.elements):
            return [self._value(one.value, depth) for one in node.elements]
        if isinstance(node, cst.Dict) and (keys := self.keys(node)) is not None:
            values = [self._value(one.value, depth) for one in node.elements]
            texts = [_text(one.key) for one in node.elements if isinstance(one, cst.DictElement)]
            return dict(zip(texts, values, strict=True)) if len(keys) == len(values) else self._strange(node)
        if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
            left, right = self._value(node.left, depth), self._value(node.right, depth)
            return left + right if isinstance(left, str) and isinstance(right, str) else self._strange(node)
        if isinstance(node, cst.FormattedString):
            return "".join(self._part(part, depth) for part in node.parts)
        return self._atom(node)

    def _part(self, part: cst.BaseFormattedStringContent, depth: int) -> str:
        if isinstance(part, cst.FormattedStringText):
            return part.value.replace("{{", "{").replace("}}", "}")
        if isinstance(part, cst.FormattedStringExpression) and not (part.conversion or part.format_spec):
            return str(self._value(part.expression, depth))
        return str(self._strange(part))

    def _atom(self, node: cst.BaseExpression) -> Any:
        words = {"True": True, "False": False, "None": None}
        if isinstance(node, cst.Name) and node.value in words:
            return words[node.value]
        if isinstance(node, (cst.SimpleString, cst.ConcatenatedString, cst.Integer)):
            value = node.evaluated_value
            return value if value is not None and not isinstance(value, bytes) else self._strange(node)
        return self._strange(node)

    def _strange(self, node: cst.CSTNode) -> Any:
        raise UntranslatableError(f"{self.code(node)} is not known before the file runs", _FILL)


class _Assigned(cst.CSTVisitor):
    """Collect ``name = expression``."""

    def __init__(self) -> None:
        self.found: dict[str, cst.BaseExpression] = {}

    def visit_Assign(self, node: cst.Assign) -> None:
        if len(node.targets) == 1 and isinstance(node.targets[0].target, cst.Name):
            self.found[node.targets[0].target.value] = node.value

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        if node.value is not None and isinstance(node.target, cst.Name):
            self.found[node.target.value] = node.value


def _text(node: cst.BaseExpression) -> str | None:
    value = node.evaluated_value if isinstance(node, (cst.SimpleString, cst.ConcatenatedString)) else None
    return value if isinstance(value, str) else None
