"""Rewrite one DAG file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import libcst as cst

from multicluster.migration.arguments import Change, rewritten
from multicluster.migration.bracket import Bracket, bracketed
from multicluster.migration.brackets import Brackets
from multicluster.migration.chain import names_in
from multicluster.migration.default_args import DefaultArgs
from multicluster.migration.finding import Finding, UntranslatableError
from multicluster.migration.imports import OURS, Imports, with_imports
from multicluster.migration.pods import Pod, judge_pod
from multicluster.migration.proposal import Proposal
from multicluster.migration.reading import Reading
from multicluster.migration.uses import Block, Uses
from multicluster.migration.vocabulary import NAMES, PODS


@dataclass(frozen=True, kw_only=True)
class Migrated:
    """A file before and after, and what a person should know about it."""

    file: str
    before: bytes
    after: bytes
    findings: tuple[Finding, ...]


def migrate(file: str, source: bytes, proposal: Proposal) -> Migrated:
    """Return the file rewritten; the clusters that it needs are added to *proposal*. A second time changes nothing."""
    if not any(name.encode() in source for name in NAMES):
        return Migrated(file=file, before=source, after=source, findings=())
    try:
        reading = Reading(file, source)
    except (cst.ParserSyntaxError, UnicodeDecodeError, LookupError, RecursionError) as error:
        said = getattr(error, "message", None) or str(error) or type(error).__name__
        why = f"cannot be parsed ({said.splitlines()[0]})"
        finding = Finding(file=file, line=getattr(error, "raw_line", 1), what="the file", why=why, do="mend it")
        return Migrated(file=file, before=source, after=source, findings=(finding,))
    after, findings = _migrated(reading, proposal)
    found = tuple(sorted(set(findings), key=lambda one: (one.line, one.what, one.why)))
    return Migrated(file=file, before=source, after=after, findings=found)


def _migrated(reading: Reading, proposal: Proposal) -> tuple[bytes, list[Finding]]:
    uses, defaults = Uses(reading), DefaultArgs(reading)
    reading.module.visit(uses)
    reading.module.visit(defaults)
    findings = [*uses.findings, *(defaults.findings if uses.calls else ())]
    if taken := _taken(reading):
        findings.append(taken)
        return reading.module.bytes, findings
    pods, left = _pods(reading, uses, defaults)
    brackets = Brackets(reading, uses, pods, proposal)
    brackets.judge(defaults)
    changes: dict[cst.CSTNode, Change] = {}
    for call, pod in pods.items():
        if call in brackets.pods:
            variable, (drop, other) = brackets.pods[call]
            change = pod.change(("node_pool", variable))
            changes[call] = replace(change, drop={*change.drop, *drop}, replace=other)
        else:
            changes[call] = pod.change(("cluster", f'"{proposal.cluster(pod.place)}"'))
            told = pod.place.told
            findings += [reading.finding(call, pod.role.value, why, do, by_hand=False) for why, do in told]
    return _written(reading, changes, brackets.made), [*findings, *left, *brackets.findings]


def _taken(reading: Reading) -> Finding | None:
    """Return a finding when a name that would be imported means something else in the file."""
    imports = Imports(reading)
    reading.module.visit(imports)
    for name in ("ClusterPodOperator", "NodePoolTaskGroup"):
        if reading.bindings[name] and not imports.found.get(name, ("",))[0].startswith(OURS):
            why = f"{name} means something else in it"
            return Finding(file=reading.file, line=1, what="the file", why=why, do="give that another name")
    return None


def _pods(reading: Reading, uses: Uses, defaults: DefaultArgs) -> tuple[dict[cst.CSTNode, Pod], list[Finding]]:
    pods: dict[cst.CSTNode, Pod] = {}
    findings = []
    for call, role in uses.calls:
        if role not in PODS:
            continue
        try:
            pod = judge_pod(call, role, reading, default_args=defaults)
        except UntranslatableError as error:
            findings.append(reading.finding(call, role.value, error.why, error.do))
            continue
        if pod is not None:
            pods[call] = pod
    return pods, findings


def _written(
    reading: Reading, changes: Mapping[cst.CSTNode, Change], brackets: Mapping[Block, Sequence[Bracket]]
) -> bytes:
    if not changes:
        return reading.module.bytes
    gone = [block.body[at] for block, made in brackets.items() for one in made for at in one.chain.gone_at]
    touched = {name for node in [*gone, *changes] for name in names_in(node)}
    done = cst.ensure_type(reading.module.visit(_Writer(changes, brackets)), cst.Module)
    return with_imports(done, reading, touched, groups=bool(brackets)).bytes


class _Writer(cst.CSTTransformer):
    def __init__(self, changes: Mapping[cst.CSTNode, Change], brackets: Mapping[Block, Sequence[Bracket]]) -> None:
        self._changes = changes
        self._brackets = brackets

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        change = self._changes.get(original_node)
        return rewritten(updated_node, change) if change else updated_node

    def leave_Module(self, original_node: cst.Module, updated_node: cst.Module) -> cst.Module:
        brackets = self._brackets.get(original_node)
        return updated_node.with_changes(body=bracketed(updated_node.body, brackets)) if brackets else updated_node

    def leave_IndentedBlock(
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        brackets = self._brackets.get(original_node)
        return updated_node.with_changes(body=bracketed(updated_node.body, brackets)) if brackets else updated_node
