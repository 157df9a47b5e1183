"""Import what a rewritten file needs, and no longer what nobody uses."""

from __future__ import annotations

from collections.abc import Collection

import libcst as cst
from libcst.codemod import CodemodContext
from libcst.codemod.visitors import AddImportsVisitor, RemoveImportsVisitor

from multicluster.migration.reading import Reading

OURS = "airflow_multicluster"


def with_imports(module: cst.Module, reading: Reading, touched: Collection[str], *, groups: bool) -> cst.Module:
    """Return *module* with our imports, and without those of *touched* names that are not used any more."""
    context = CodemodContext()
    imports = Imports(reading)
    reading.module.visit(imports)
    for bound, (path, name, alias) in imports.found.items():
        if bound in touched:
            RemoveImportsVisitor.remove_unused_import(context, path, name, alias)
    AddImportsVisitor.add_needed_import(context, OURS, "ClusterPodOperator")
    if groups:
        AddImportsVisitor.add_needed_import(context, OURS, "NodePoolTaskGroup")
    added = AddImportsVisitor(context).transform_module(module)
    return RemoveImportsVisitor(context).transform_module(added)


class Imports(cst.CSTVisitor):
    """Collect, by the name that each binds: module, name within it, alias."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self.found: dict[str, tuple[str, str | None, str | None]] = {}

    def visit_Import(self, node: cst.Import) -> None:
        for one in node.names:
            bound = one.evaluated_alias or one.evaluated_name.partition(".")[0]
            self.found[bound] = (one.evaluated_name, None, one.evaluated_alias)

    def visit_ImportFrom(self, node: cst.ImportFrom) -> None:
        if node.module is None or node.relative or isinstance(node.names, cst.ImportStar):
            return
        for one in node.names:
            path = self._reading.code(node.module)
            self.found[one.evaluated_alias or one.evaluated_name] = (path, one.evaluated_name, one.evaluated_alias)
