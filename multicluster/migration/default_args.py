"""Find the default arguments of a DAG file that say where tasks run."""

from __future__ import annotations

from collections.abc import Collection

import libcst as cst

from multicluster.migration.finding import Finding
from multicluster.migration.reading import Reading
from multicluster.migration.vocabulary import PLACE

_SAY_WHERE = frozenset().union(*PLACE.values())


class DefaultArgs(cst.CSTVisitor):
    """Collect the keys of every ``default_args=`` of the file, and findings about them.

    ``keys`` are those that say where, ``others`` the rest;
    ``inside`` is whether ``in_cluster`` among them says: where Airflow is.
    """

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self.keys: set[str] = set()
        self.others: set[str] = set()
        self.inside = False
        self.findings: list[Finding] = []

    def visit_Arg(self, node: cst.Arg) -> None:
        if node.keyword is None or node.keyword.value != "default_args":
            return
        keys = self._reading.keys(node.value)
        if keys is None:
            self.findings.append(
                self._reading.finding(
                    node,
                    "default_args",
                    f"{self._reading.code(node.value)} is not known before the file runs",
                    f"look that it holds none of {', '.join(sorted(_SAY_WHERE))}",
                    by_hand=False,
                )
            )
            return
        self.others |= keys - _SAY_WHERE
        if found := keys & _SAY_WHERE:
            self.keys |= found
            self.inside = found == {"in_cluster"} and self._says_inside(node.value)
            if not self.inside:
                self._name(self._reading.bound(node.value), found)

    def _says_inside(self, node: cst.BaseExpression) -> bool:
        code = self._reading.code(self._reading.bound(node)).replace(" ", "").replace("'", '"')
        return '"in_cluster":True' in code or "in_cluster=True" in code

    @property
    def hidden(self) -> frozenset[str]:
        """The keys that may send a task elsewhere without its call saying so."""
        return frozenset(self.keys - {"in_cluster"} if self.inside else self.keys)

    def _name(self, node: cst.CSTNode, found: Collection[str]) -> None:
        finding = self._reading.finding(
            node,
            "default_args",
            f"holds {', '.join(sorted(found))}, which says where tasks run",
            "move them into the tasks that need them, and run this command again",
        )
        if finding not in self.findings:
            self.findings.append(finding)
