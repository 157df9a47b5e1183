"""Write a chain anew as a NodePoolTaskGroup."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import libcst as cst
from libcst import matchers as m

from multicluster.migration.chain import Chain, names_in
from multicluster.migration.edges import order
from multicluster.migration.finding import UntranslatableError
from multicluster.migration.pods import NODEGROUP_LABEL, Pod
from multicluster.migration.reading import Reading
from multicluster.migration.vocabulary import PLACE, Role

_WIDTH = 110
_NO_PLACE_NEEDED = frozenset(
    """
    task_id trigger_rule target_state wait_for_completion deferrable waiter_delay waiter_max_attempts mode timeout
    poke_interval delete_nodegroup_on_failure aws_conn_id region region_name exponential_backoff
    """.split()  # noqa: SIM905 - a list of words, and not a page of quotes
)
NodeGroupOfPod = tuple[Collection[str], Mapping[str, cst.Dict]]
"""Which arguments of a pod go, and which change, because they name the node group."""
_SHAPES = frozenset({"node_selector", "affinity", "full_pod_spec", "pod_template_dict"})
_Statement = cst.BaseStatement


@dataclass(frozen=True, kw_only=True)
class Bracket:
    """What the group is called and given; ``more`` are further arguments, as code."""

    chain: Chain
    variable: str
    group_id: str
    cluster: str
    profile: str
    nodes: int
    more: Mapping[str, str] = field(default_factory=dict)

    def header(self) -> str:
        """Return the ``with`` statement with an empty block."""
        named = {"cluster": f'"{self.cluster}"', "profile": f'"{self.profile}"', "nodes": str(self.nodes), **self.more}
        arguments = [json.dumps(self.group_id), *(f"{name}={code}" for name, code in named.items())]
        line = f"with NodePoolTaskGroup({', '.join(arguments)}) as {self.variable}:\n    pass\n"
        if len(line) < _WIDTH:
            return line
        lines = "".join(f"    {argument},\n" for argument in arguments)
        return f"with NodePoolTaskGroup(\n{lines}) as {self.variable}:\n    pass\n"


def bracketed(body: Sequence[_Statement], brackets: Sequence[Bracket]) -> list[_Statement]:
    """Return the statements of a block with brackets in their chains' stead."""
    gone = {at for one in brackets for at in (*one.chain.gone_at, *one.chain.work.values())}
    done: list[_Statement] = []
    for at, statement in enumerate(body):
        if at not in gone:
            done.append(statement)
        for bracket in brackets:
            begin = max(bracket.chain.work.values())
            if at == begin:
                done.append(_group(body, bracket))
            if at == max((at for at in bracket.chain.order_at if at > begin), default=begin):
                done += _outside(body, bracket)
    return done


def waiting(chain: Chain, reading: Reading) -> dict[str, str]:
    """Return the time-outs and the interval of the chain's sensors, as arguments of the group."""
    found = {}
    for step in chain.steps:
        if step.role is Role.SENSOR:
            for name, new in (("timeout", f"{'gone' if step.waits_for_end else 'ready'}_timeout"),
                              ("poke_interval", "poll_interval")):  # fmt: skip
                if name in step.arguments:
                    found[new] = reading.code(step.arguments.given[name])
    return found


def lost(chain: Chain) -> list[str]:
    """Return the arguments of the chain's own tasks for which a group has no place."""
    return sorted(
        f"{name} of {step.name}"
        for step in chain.steps
        for name in step.arguments.given.keys() - _NO_PLACE_NEEDED - PLACE[step.role]
    )


def without_node_group(pod: Pod, chain: Chain, reading: Reading) -> NodeGroupOfPod:
    """Return which arguments of a pod go, and which change, because they name the node group.

    Raises UntranslatableError when it is named in another way: the pod would wait for it for ever.
    """
    node = pod.arguments.given.get("node_selector")
    selector = reading.bound(node) if node is not None else None
    drop: set[str] = set()
    change: dict[str, cst.Dict] = {}
    if isinstance(selector, cst.Dict) and NODEGROUP_LABEL in (reading.keys(selector) or ()):
        kept = [one for one in selector.elements if not _is_the_label(one)]
        if kept:
            change["node_selector"] = selector.with_changes(elements=kept)
        else:
            drop.add("node_selector")
    for key in pod.arguments.given.keys() & _SHAPES - drop:
        said = reading.bound(change.get(key, pod.arguments.given[key]))
        if names_node_group(said, chain, reading):
            raise UntranslatableError(
                f"{key} of the pod in line {reading.line(pod.call)} names the node group, which will have another name",
                "take that out (node_pool= selects the nodes), and run this command again",
            )
    return drop, change


def names_node_group(node: cst.CSTNode, chain: Chain, reading: Reading) -> bool:
    """Whether a node mentions the chain's node group, by its variable, its text, or the label of its nodes."""
    group = chain.create.arguments.given.get("nodegroup_name")
    name = reading.code(group) if group is not None else ""
    code = _quoted(node, reading)
    return (
        NODEGROUP_LABEL in code
        or bool(name and name in names_in(node))
        or bool(chain.group and f'"{chain.group}"' in code)
    )


def _is_the_label(element: cst.BaseDictElement) -> bool:
    return isinstance(element, cst.DictElement) and m.matches(
        element.key, m.SimpleString(value=m.MatchIfTrue(lambda text: NODEGROUP_LABEL in text))
    )


def _quoted(node: cst.CSTNode, reading: Reading) -> str:
    return reading.code(node).replace("'", '"')


def _group(body: Sequence[_Statement], bracket: Bracket) -> cst.With:
    chain = bracket.chain
    work = [body[at] for at in sorted(chain.work.values())]
    lines = [*getattr(work[0], "leading_lines", ())]
    while lines and lines[0].comment is None:
        lines.pop(0)
    work[0] = work[0].with_changes(leading_lines=lines)
    inside = [edge for edge in chain.edges if set(edge) <= chain.work.keys()]
    statements = [*work, *(cst.parse_statement(line) for line in order(inside))]
    steps = [body[step.at] for step in chain.steps]
    first, comments = body[min(step.at for step in chain.steps)], _comments(steps)
    blank = [line for line in getattr(first, "leading_lines", ()) if line.comment is None]
    return cst.ensure_type(cst.parse_statement(bracket.header()), cst.With).with_changes(
        body=cst.IndentedBlock(body=statements), leading_lines=[*blank[:1], *comments]
    )


def _outside(body: Sequence[_Statement], bracket: Bracket) -> list[cst.SimpleStatementLine]:
    """Return the order of the tasks before, behind and beside the group."""
    chain, edges = bracket.chain, []
    for first, then in chain.edges:
        inner = chain.names | chain.work.keys()
        if {first, then} <= inner:
            continue
        edges.append((bracket.variable if first in chain.names else first,
                      bracket.variable if then in chain.names else then))  # fmt: skip
    lines = [
        cst.ensure_type(cst.parse_statement(line), cst.SimpleStatementLine) for line in order(dict.fromkeys(edges))
    ]
    comments = _comments([body[at] for at in chain.order_at])
    if lines:
        blank = [line for line in getattr(body[chain.order_at[0]], "leading_lines", ()) if line.comment is None]
        lines[0] = lines[0].with_changes(leading_lines=[*blank[:1], *comments])
    return lines


def _comments(statements: Iterable[cst.CSTNode]) -> list[cst.EmptyLine]:
    return [
        cst.EmptyLine(comment=one)
        for statement in statements
        for one in m.findall(statement, m.Comment())
        if isinstance(one, cst.Comment)
    ]
