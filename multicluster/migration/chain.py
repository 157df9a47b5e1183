"""Recognise the classic chain: create a node group, wait, run pods, delete it whatever happened, wait again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import libcst as cst
from libcst import matchers as m

from multicluster.migration.arguments import Arguments
from multicluster.migration.edges import Edge, edges_of
from multicluster.migration.finding import UntranslatableError
from multicluster.migration.places import FILL_IN, Place, eks_place
from multicluster.migration.reading import Reading
from multicluster.migration.vocabulary import CHAIN, PLACE, Role

_AGAIN = "mend that, and run this command again"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One of the chain's own tasks: ``name = Operator(...)``."""

    name: str
    at: int
    call: cst.Call
    role: Role
    arguments: Arguments
    waits_for_end: bool = False


@dataclass(frozen=True, kw_only=True)
class Chain:
    """A chain within one list of statements; ``at`` are places in that list."""

    create: Step
    steps: Sequence[Step]
    place: Place
    work: Mapping[str, int]
    edges: Sequence[Edge]
    gone_at: Collection[int]
    order_at: Sequence[int]
    group: str = field(default="")

    @property
    def names(self) -> frozenset[str]:
        """The variables of the chain's own tasks."""
        return frozenset(step.name for step in self.steps)


def steps_of(body: Sequence[cst.BaseStatement], reading: Reading) -> list[Step]:
    """Return the tasks of chains in a list of statements. Raises UntranslatableError for an unreadable call."""
    steps = []
    for at, statement in enumerate(body):
        name, call = assigned_call(statement)
        role = reading.role(call.func) if call else None
        if name and call and role in CHAIN:
            arguments = Arguments(call, reading, place=PLACE[role])
            end = role is Role.SENSOR and _waits_for_end(arguments, reading)
            steps.append(Step(name=name, at=at, call=call, role=role, arguments=arguments, waits_for_end=end))
    return steps


def by_group(steps: Iterable[Step], reading: Reading) -> list[list[Step]]:
    """Put the steps about the same node group together."""
    groups: dict[tuple[str, ...], list[Step]] = {}
    for step in steps:
        key = tuple(_said(step, name, reading) for name in ("cluster_name", "nodegroup_name"))
        groups.setdefault(key, []).append(step)
    return list(groups.values())


def chain_of(steps: Sequence[Step], body: Sequence[cst.BaseStatement], reading: Reading) -> Chain:
    """Return the chain that *steps* make; raises UntranslatableError where they make none that a bracket could be."""
    creates = [step for step in steps if step.role is Role.CREATE]
    deletes = [step for step in steps if step.role is Role.DELETE]
    if len(creates) != 1 or len(deletes) != 1:
        raise UntranslatableError(
            f"its node group has {len(creates)} creates and {len(deletes)} deletes in the same block",
            "put NodePoolTaskGroup around the pods by hand",
        )
    names = {step.name for step in steps}
    ordering = {at: edges for at, one in enumerate(body) if (edges := edges_of(one, reading)) is not None}
    work = _between(steps, [edge for edges in ordering.values() for edge in edges])
    order_at = [at for at, edges in ordering.items() if names & {name for edge in edges for name in edge}]
    rules = [at for at, statement in enumerate(body) if _sets_trigger_rule(statement, names)]
    gone_at = {*(step.at for step in steps), *rules, *order_at}
    _refuse_other_uses(names, [body[at] for at in gone_at], reading)
    edges = [edge for at in order_at for edge in ordering[at]]
    _refuse_odd_order(steps, work, edges)
    place = _place([*creates, *steps])
    at_of = {name: at for at, one in enumerate(body) if (name := assigned_call(one)[0]) in work}
    if missing := sorted(work - at_of.keys()):
        raise UntranslatableError(f"{', '.join(missing)} is not made in the same block as the chain", _AGAIN)
    _refuse_uses_between(body, at_of, gone_at)
    group = _said(creates[0], "nodegroup_name", reading)
    return Chain(
        create=creates[0], steps=steps, place=place, work=at_of, edges=edges, gone_at=gone_at, order_at=order_at,
        group=group,
    )  # fmt: skip


def assigned_call(statement: cst.CSTNode) -> tuple[str | None, cst.Call | None]:
    """Return name and call of ``name = f(...)``, else two None."""
    if m.matches(
        statement, m.SimpleStatementLine(body=[m.Assign(targets=[m.AssignTarget(target=m.Name())], value=m.Call())])
    ):
        assign = cst.ensure_type(cst.ensure_type(statement, cst.SimpleStatementLine).body[0], cst.Assign)
        return cst.ensure_type(assign.targets[0].target, cst.Name).value, cst.ensure_type(assign.value, cst.Call)
    return None, None


def names_in(node: cst.CSTNode) -> list[str]:
    """Return every variable that stands in a node; neither attributes nor the names of arguments."""
    names = _Names()
    node.visit(names)
    return names.found


class _Names(cst.CSTVisitor):
    def __init__(self) -> None:
        self.found: list[str] = []

    def visit_Arg(self, node: cst.Arg) -> bool:
        node.value.visit(self)
        return False

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        node.value.visit(self)
        return False

    def visit_Name(self, node: cst.Name) -> None:
        self.found.append(node.value)


def _place(steps: Sequence[Step]) -> Place:
    """Return the cluster by the first step that names its region, else by the first."""
    places = [eks_place(step.arguments) for step in steps]
    return next((place for place in places if place.eks and place.eks[1] != FILL_IN), places[0])


def _said(step: Step, name: str, reading: Reading) -> str:
    node = step.arguments.given.get(name)
    if node is None:
        return ""
    try:
        return str(reading.value(node))
    except UntranslatableError:
        return reading.code(node)


def _waits_for_end(arguments: Arguments, reading: Reading) -> bool:
    node = arguments.given.get("target_state")
    if node is None:
        return False
    state = node.attr.value if isinstance(node, cst.Attribute) else str(reading.value(node))
    if state.upper() not in {"ACTIVE", "NONEXISTENT"}:
        raise UntranslatableError(f"it waits for {state}", "put NodePoolTaskGroup around the pods by hand")
    return state.upper() == "NONEXISTENT"


def _reach(start: Iterable[str], edges: Iterable[Edge]) -> set[str]:
    found, left, known = set[str](), list(start), list(edges)
    while left:
        here = left.pop()
        after = {then for first, then in known if first == here} - found
        found |= after
        left += after
    return found


def _sides(steps: Sequence[Step]) -> tuple[set[str], set[str]]:
    ends = {step.name for step in steps if step.role is Role.DELETE or step.waits_for_end}
    return {step.name for step in steps} - ends, ends


def _between(steps: Sequence[Step], edges: Sequence[Edge]) -> set[str]:
    begins, ends = _sides(steps)
    work = (_reach(begins, edges) & _reach(ends, [(then, first) for first, then in edges])) - begins - ends
    if not work:
        raise UntranslatableError("no task stands between its create and its delete", "there is nothing to bracket")
    return work


def _sets_trigger_rule(statement: cst.CSTNode, names: Collection[str]) -> bool:
    target = m.AssignTarget(target=m.Attribute(value=m.Name(), attr=m.Name("trigger_rule")))
    if not m.matches(statement, m.SimpleStatementLine(body=[m.Assign(targets=[target])])):
        return False
    return bool(set(names) & set(names_in(cst.ensure_type(statement, cst.SimpleStatementLine))))


def _refuse_other_uses(names: Collection[str], known: Iterable[cst.CSTNode], reading: Reading) -> None:
    used = [name for name in names_in(reading.module) if name in names]
    seen = [name for statement in known for name in names_in(statement) if name in names]
    if len(used) != len(seen):
        raise UntranslatableError("one of its tasks is used elsewhere in the file", _AGAIN)


def _refuse_odd_order(steps: Sequence[Step], work: Collection[str], edges: Iterable[Edge]) -> None:
    begins, ends = _sides(steps)
    for first, then in edges:
        if (first in begins and then not in begins | ends | set(work)) or (
            then in ends and first not in begins | ends | set(work)
        ):
            raise UntranslatableError(
                f"{first} >> {then} ties a task outside the chain to a task within it",
                "take it apart, or do it by hand",
            )


def _refuse_uses_between(body: Sequence[cst.BaseStatement], work: Mapping[str, int], gone_at: Collection[int]) -> None:
    for at in range(min(work.values()), max(work.values())):
        if at not in gone_at and at not in work.values() and set(names_in(body[at])) & work.keys():
            used = ", ".join(sorted(set(names_in(body[at])) & work.keys()))
            raise UntranslatableError(
                f"{used} is used between the chain's tasks", "move that statement behind the last of them"
            )
