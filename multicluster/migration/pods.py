"""Judge one stock pod operator: which cluster it means, and how it is written anew."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import libcst as cst

from multicluster.migration.arguments import Arguments, Change
from multicluster.migration.default_args import DefaultArgs
from multicluster.migration.finding import UntranslatableError
from multicluster.migration.places import Place, place_of
from multicluster.migration.reading import Reading
from multicluster.migration.vocabulary import EKS_ONLY, PLACE, POD_ARGUMENTS, REMOTE, TASK_ARGUMENTS, Role

NODEGROUP_LABEL = "eks.amazonaws.com/nodegroup"


@dataclass(frozen=True, kw_only=True)
class Pod:
    """A pod operator that can be translated."""

    call: cst.Call
    role: Role
    place: Place
    arguments: Arguments
    namespace_said: bool

    def change(self, where: tuple[str, str]) -> Change:
        """Return how the call is written anew, with ``cluster=`` or ``node_pool=``."""
        first = [where]
        if self.role is Role.EKS_POD and not self.namespace_said:
            first.append(("namespace", '"default"'))  # EksPodOperator's own default, and no other operator's
        drop = PLACE[self.role] & self.arguments.given.keys()
        rename = {"pod_name": "name"} if self.role is Role.EKS_POD else {}
        return Change(func="ClusterPodOperator", first=first, drop=drop, rename=rename)


def judge_pod(call: cst.Call, role: Role, reading: Reading, *, default_args: DefaultArgs) -> Pod | None:
    """Return the pod; None for one that stays where Airflow is. Raises UntranslatableError."""
    place_arguments = PLACE[role] | (EKS_ONLY if role is Role.EKS_POD else frozenset())
    arguments = Arguments(call, reading, place=place_arguments)
    if hidden := sorted(default_args.hidden & (PLACE[role] - arguments.given.keys())):
        raise UntranslatableError(
            f"{', '.join(hidden)} may come from default_args",
            "move them from default_args into the tasks, and run this command again",
        )
    place = place_of(role, arguments)
    if place is None:
        return None
    if beside := sorted(default_args.keys & set(REMOTE)):
        raise UntranslatableError(
            f"default_args holds {', '.join(beside)}, which ClusterPodOperator refuses beside cluster=",
            "take them out of default_args, and run this command again",
        )
    known = POD_ARGUMENTS | TASK_ARGUMENTS | place_arguments
    if unknown := sorted(arguments.given.keys() - known):
        raise UntranslatableError(
            f"{', '.join(unknown)} is no argument that KubernetesPodOperator has", "take it out, or mend its name"
        )
    if {"name", "pod_name"} <= arguments.given.keys():
        raise UntranslatableError("it has both name and pod_name", "leave out one of the two")
    said = arguments.given.keys() | arguments.unpacked | default_args.others
    said |= _mapped(call, reading, place_arguments)
    return Pod(call=call, role=role, place=place, arguments=arguments, namespace_said="namespace" in said)


def _mapped(call: cst.Call, reading: Reading, place: Collection[str]) -> set[str]:
    """Return the names within ``Operator.partial(...).expand(...)``.

    Raises UntranslatableError where they say where the pod runs: one call, several clusters.
    """
    expand = reading.parent(call)
    mapped = reading.parent(expand) if isinstance(expand, cst.Attribute) else None
    if not isinstance(expand, cst.Attribute) or not isinstance(mapped, cst.Call) or mapped.func is not expand:
        return set()
    names = {arg.keyword.value for arg in mapped.args if arg.keyword}
    if expand.attr.value == "expand_kwargs" or names & set(place):
        raise UntranslatableError(
            f"it is mapped by {expand.attr.value} over arguments that say where it runs",
            "map over cluster= with names of the registry instead",
        )
    return names
