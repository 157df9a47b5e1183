"""Judge the chains of one file, and decide how each becomes a bracket."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import libcst as cst

from multicluster.migration.bracket import Bracket, NodeGroupOfPod, lost, names_node_group, waiting, without_node_group
from multicluster.migration.chain import Chain, Step, by_group, chain_of, steps_of
from multicluster.migration.default_args import DefaultArgs
from multicluster.migration.finding import Finding, UntranslatableError
from multicluster.migration.node_groups import NodeGroup, node_group
from multicluster.migration.places import FILL_IN
from multicluster.migration.pods import NODEGROUP_LABEL, Pod
from multicluster.migration.proposal import Proposal
from multicluster.migration.reading import Reading
from multicluster.migration.uses import Block, Uses
from multicluster.migration.vocabulary import CHAIN, Role

_WHAT = "a chain around a node group"
_BY_HAND = "put NodePoolTaskGroup around the pods by hand"


class Brackets:
    """What becomes of the chains: ``made`` by block, ``pods`` with the variable of their bracket, and findings."""

    def __init__(self, reading: Reading, uses: Uses, pods: Mapping[cst.CSTNode, Pod], proposal: Proposal) -> None:
        self._reading = reading
        self._uses = uses
        self._pods = pods
        self._proposal = proposal
        self.made: dict[Block, list[Bracket]] = {}
        self.pods: dict[cst.CSTNode, tuple[str, NodeGroupOfPod]] = {}
        self.findings: list[Finding] = []

    def judge(self, defaults: DefaultArgs) -> None:
        """Do it for all chains of the file."""
        chains: list[tuple[Block, Chain]] = []
        seen: set[cst.CSTNode] = set()
        for block in self._uses.blocks:
            try:
                groups = by_group(steps_of(block.body, self._reading), self._reading)
            except UntranslatableError as error:
                self._tell(block.body[0], error)
                seen |= {call for call, _ in self._uses.calls}
                continue
            for steps in groups:
                seen |= {step.call for step in steps}
                try:
                    chains.append((block, self._chain(steps, block, defaults)))
                except UntranslatableError as error:
                    self._tell(steps[0].call, error)
        for call, role in self._uses.calls:
            if role in CHAIN and call not in seen:
                why = "it is not assigned to a name, so that its place in the order cannot be seen"
                self._tell(call, UntranslatableError(why, _BY_HAND))
        for block, chain in chains:
            try:
                self._bracket(block, chain, alone=len(chains) == 1)
            except UntranslatableError as error:
                self._tell(chain.create.call, error)

    def _chain(self, steps: Sequence[Step], block: Block, defaults: DefaultArgs) -> Chain:
        if hidden := sorted(defaults.keys & {"cluster_name", "region", "region_name", "aws_conn_id", "nodegroup_name"}):
            raise UntranslatableError(
                f"{', '.join(hidden)} may come from default_args",
                "move them into the tasks, and run this command again",
            )
        if any("dag" in step.arguments for step in steps):
            raise UntranslatableError("its tasks are given dag=", "write `with DAG(...):` and run this command again")
        return chain_of(steps, block.body, self._reading)

    def _bracket(self, block: Block, chain: Chain, *, alone: bool) -> None:
        here = self._pods_of(block, chain)
        without = {pod.call: without_node_group(pod, chain, self._reading) for pod in here}
        group = node_group(chain.create.arguments)
        variable = self._free_variable()
        cluster = self._proposal.cluster(chain.place)
        bracket = Bracket(
            chain=chain,
            variable=variable,
            group_id=self._free_id(re.sub(r"[^A-Za-z0-9_-]+", "_", chain.group).strip("_") or "node_pool"),
            cluster=cluster,
            profile=self._proposal.profile(cluster, group.profile["instanceTypes"][0], group.profile),
            nodes=group.nodes,
            more=waiting(chain, self._reading) | ({"prefix_group_id": "False"} if alone else {}),
        )
        self.pods |= {pod.call: (variable, without[pod.call]) for pod in here}
        self.made.setdefault(block, []).append(bracket)
        self._tell_bracket(bracket, group)

    def _pods_of(self, block: Block, chain: Chain) -> list[Pod]:
        """Return the pods that run on the chain's nodes; raises UntranslatableError when that is not certain."""
        inside = [
            (call, role)
            for at in chain.work.values()
            for call, role in self._uses.calls
            if _holds(block.body[at], call)
        ]
        known = [self._pods[call] for call, _ in inside if call in self._pods]
        here = [pod for pod in known if _same(pod, chain) or self._selects(pod)]
        left = [call for call, role in inside if call not in self._pods and role is not Role.POD]
        if left or not here:
            where = f" (line {self._reading.line(left[0])} is left as it is)" if left else ""
            raise UntranslatableError(f"no pod in it is known to run on its nodes{where}", _BY_HAND)
        ours = {pod.call for pod in here}
        for at in chain.work.values():
            others = not any(_holds(block.body[at], call) for call in ours)
            if others and names_node_group(block.body[at], chain, self._reading):
                where = f"the task in line {self._reading.line(block.body[at])}"
                raise UntranslatableError(f"{where} names the node group, and is no pod of its cluster", _BY_HAND)
        return here

    def _free_id(self, wanted: str) -> str:
        """Return a group's id that no task has, nor another group."""
        code = self._reading.module.code.replace("'", '"')
        used = {bracket.group_id for brackets in self.made.values() for bracket in brackets}
        ids = (wanted, f"{wanted}_pool", *(f"{wanted}_{number}" for number in range(2, 1000)))
        return next(one for one in ids if one not in used and f'task_id="{one}"' not in code)

    def _selects(self, pod: Pod) -> bool:
        """Whether a pod asks for nodes of a node group, which can only be the chain's."""
        selector = pod.arguments.given.get("node_selector")
        return selector is not None and NODEGROUP_LABEL in (self._reading.keys(selector) or ())

    def _free_variable(self) -> str:
        used = {bracket.variable for brackets in self.made.values() for bracket in brackets}
        names = ("pool", "node_pool", *(f"pool_{number}" for number in range(2, 1000)))
        return next(name for name in names if name not in used and not self._reading.bindings[name])

    def _tell(self, node: cst.CSTNode, error: UntranslatableError) -> None:
        self.findings.append(self._reading.finding(node, _WHAT, error.why, error.do))

    def _tell_bracket(self, bracket: Bracket, group: NodeGroup) -> None:
        chain = bracket.chain
        told = [*chain.place.told, *group.told]
        if not self._proposal.eks_pools(bracket.cluster, group.pools):
            told.append(("its role, subnets or tags differ from an earlier chain's", "see nodePools.eks"))
        if gone := lost(chain):
            told.append((f"{', '.join(gone)}: a group has no place for it", "see whether it is needed"))
        if "prefix_group_id" not in bracket.more:
            told.append((f"its tasks are called {bracket.group_id}.NAME now", "see who asks for them by name"))
        inner = chain.names | chain.work.keys()
        if any(first in chain.names and then not in inner for first, then in chain.edges):
            told.append(
                ("tasks behind the deletion ran even when pods had failed", "they wait for the pods' success now")
            )
        call = chain.create.call
        self.findings += [self._reading.finding(call, _WHAT, why, do, by_hand=False) for why, do in told]


def _holds(statement: cst.CSTNode, call: cst.CSTNode) -> bool:
    return statement is call or any(_holds(child, call) for child in statement.children)


def _same(pod: Pod, chain: Chain) -> bool:
    """Whether a pod runs on the chain's cluster; a kubeconfig's context says so by the cluster's name."""
    there = chain.place.eks
    if there is None:
        return False
    if here := pod.place.eks:
        return here[0] == there[0] and (here[1] == there[1] or FILL_IN in {here[1], there[1]})
    context = str(pod.place.block.get("kubeconfig", {}).get("context", ""))
    return re.split(r"[/@]", context)[-1] == there[0]
