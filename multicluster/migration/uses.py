"""Find every use of a stock operator in a file, and name those that no rewriting covers."""

from __future__ import annotations

import libcst as cst

from multicluster.migration.finding import Finding
from multicluster.migration.reading import Reading
from multicluster.migration.vocabulary import CHAIN, DECORATORS, OURS, PLACE, REMOTE, ROLES, Role

Block = cst.Module | cst.IndentedBlock
_MODULES = frozenset(name.rpartition(".")[0] for name in ROLES)


class Uses(cst.CSTVisitor):
    """Calls that can be judged, blocks of statements that hold chains, and findings about all other uses."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self.calls: list[tuple[cst.Call, Role]] = []
        self.blocks: list[Block] = []
        self.findings: list[Finding] = []
        self._called: set[cst.CSTNode] = set()

    def visit_Import(self, node: cst.Import) -> bool:  # noqa: ARG002 - libcst's signature
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        if isinstance(node.names, cst.ImportStar) and node.module is not None:
            module = self._reading.code(node.module)
            if module in _MODULES:
                self._name(node, f"from {module} import *", "what is imported cannot be seen", "import by name")
        return False

    def visit_Call(self, node: cst.Call) -> None:
        operator = node.func
        if isinstance(operator, cst.Attribute) and operator.attr.value == "partial":
            operator = operator.value
        role = self._reading.role(operator)
        if role is None:
            return
        self._called.add(operator)
        if role is Role.OTHER:
            self._name_other(node)
        elif role in CHAIN and operator is not node.func:
            self._name(node, role.value, "it is mapped", "put NodePoolTaskGroup into a mapped task group")
        else:
            self.calls.append((node, role))
            if role in CHAIN:
                self._remember_block(node)

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        for base in node.bases:
            if role := self._reading.role(base.value):
                self._called.add(base.value)
                self._name(
                    node,
                    f"class {node.name.value}",
                    f"it is a subclass of {self._class(base.value)}, and where it is used is left as it is",
                    f"derive it from {OURS[role]}, or use that instead" if role in OURS
                    else "see whether NodePoolTaskGroup and a profile do the same",
                )  # fmt: skip

    def visit_Decorator(self, node: cst.Decorator) -> None:
        call = node.decorator if isinstance(node.decorator, cst.Call) else None
        named = call.func if call else node.decorator
        if not isinstance(named, cst.Attribute) or named.attr.value not in DECORATORS:
            return
        if not self._reading.qualified(named.value).endswith(".task"):
            return
        given = {arg.keyword.value for arg in call.args if arg.keyword} if call else set()
        remote = sorted(given & set(REMOTE))
        self._name(
            node,
            f"@task.{named.attr.value}",
            f"it says {', '.join(remote)}" if remote else "it is a stock decorator, which knows no registry",
            f"decorators are left as they are: write @task.{DECORATORS[named.attr.value]} with cluster= instead",
            by_hand=bool(remote),
        )

    def visit_Name(self, node: cst.Name) -> None:
        self._see(node)

    def visit_Attribute(self, node: cst.Attribute) -> None:
        self._see(node)

    def _see(self, node: cst.Name | cst.Attribute) -> None:
        if node in self._called or not (role := self._reading.role(node)):
            return
        if isinstance(node, cst.Name) and isinstance(self._reading.parent(node), cst.Attribute):
            return
        why, do = "it is used in another way than by a call", "see what it is used for"
        self._name(node, role.value, why, do, by_hand=role is not Role.POD)

    def _name_other(self, node: cst.Call) -> None:
        given = {arg.keyword.value for arg in node.args if arg.keyword}
        if found := sorted(given & PLACE[Role.OTHER]):
            self._name(
                node,
                self._class(node.func),
                f"it says {', '.join(found)}",
                f"only pod operators are rewritten: write {OURS[Role.OTHER]} with cluster= instead",
            )

    def _class(self, node: cst.CSTNode) -> str:
        return self._reading.qualified(node).removesuffix(".partial").rpartition(".")[2]

    def _remember_block(self, node: cst.CSTNode) -> None:
        block: cst.CSTNode | None = node
        while block is not None and not isinstance(block, (cst.Module, cst.IndentedBlock)):
            block = self._reading.parent(block)
        if block is not None and block not in self.blocks:
            self.blocks.append(block)

    def _name(self, node: cst.CSTNode, what: str, why: str, do: str, *, by_hand: bool = True) -> None:
        self.findings.append(self._reading.finding(node, what, why, do, by_hand=by_hand))
