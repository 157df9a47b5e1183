"""Answer EKS: find the operation of a path, then do it."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from multicluster.simulator.aws.errors import AwsError
from multicluster.simulator.aws.nodegroup_request import check_tags
from multicluster.simulator.aws.nodegroups import nodegroup_arn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from multicluster.simulator.aws.call import Call
    from multicluster.simulator.aws.clusters import EksClusters
    from multicluster.simulator.aws.nodegroups import Nodegroups

MAX_PAGE = 100
# (method, path with * for a name) -> operation
ROUTES: dict[tuple[str, tuple[str, ...]], str] = {
    ("GET", ("clusters",)): "ListClusters",
    ("GET", ("clusters", "*")): "DescribeCluster",
    ("GET", ("clusters", "*", "node-groups")): "ListNodegroups",
    ("POST", ("clusters", "*", "node-groups")): "CreateNodegroup",
    ("GET", ("clusters", "*", "node-groups", "*")): "DescribeNodegroup",
    ("DELETE", ("clusters", "*", "node-groups", "*")): "DeleteNodegroup",
    ("POST", ("clusters", "*", "node-groups", "*", "update-config")): "UpdateNodegroupConfig",
    ("GET", ("clusters", "*", "updates", "*")): "DescribeUpdate",
    ("GET", ("tags", "*")): "ListTagsForResource",
    ("POST", ("tags", "*")): "TagResource",
    ("DELETE", ("tags", "*")): "UntagResource",
}


def operation_of(method: str, path: Sequence[str]) -> str:
    """Name the operation of a request; an unknown one is refused, never answered."""
    for (verb, pattern), operation in ROUTES.items():
        same = verb == method and len(pattern) == len(path)
        if same and all(part in {"*", given} for part, given in zip(pattern, path, strict=True)):
            return operation
    raise AwsError("UnknownOperationException", f"not simulated: {method} /{'/'.join(path)}", 404)


class Eks:
    """Serve the operations of ROUTES; the caller's own account and region decide what can be seen."""

    def __init__(self, clusters: EksClusters, nodegroups: Nodegroups) -> None:
        self.clusters, self.nodegroups = clusters, nodegroups

    def answer(self, operation: str, call: Call) -> dict[str, Any]:  # noqa: PLR0911 - one line for each operation
        """Do an operation; raises AwsError as EKS does."""
        if operation == "ListClusters":
            return page(call, "clusters", self.clusters.names(call.caller.account, call.region))
        if operation.endswith(("TagResource", "UntagResource", "TagsForResource", "tagResource")):
            return self._tags(operation, call)
        cluster = self.clusters.find(call.caller.account, call.region, call.path[1])
        if operation == "DescribeCluster":
            return {"cluster": cluster.describe()}
        if operation == "ListNodegroups":
            return page(call, "nodegroups", [group.name for group in self.nodegroups.groups.of(cluster.key)])
        if operation == "CreateNodegroup":
            return self.nodegroups.create(cluster, call.body)
        if operation == "DescribeUpdate":
            return self.nodegroups.describe_update(cluster, call.query.get("nodegroupName", ""), call.path[3])
        name = call.path[3]
        if operation == "DescribeNodegroup":
            return self.nodegroups.describe(cluster, name)
        if operation == "DeleteNodegroup":
            return self.nodegroups.delete(cluster, name)
        return self.nodegroups.update(cluster, name, call.body)

    def _tags(self, operation: str, call: Call) -> dict[str, Any]:
        tags = self._tags_of(call)
        if operation == "TagResource":
            given = check_tags(call.body.get("tags") or {})
            check_tags({**tags, **given})
            tags.update(given)
        elif operation == "UntagResource":
            for key in call.repeated.get("tagKeys", ()):
                tags.pop(key, None)
        else:
            return {"tags": dict(tags)}
        return {}

    def _tags_of(self, call: Call) -> dict[str, str]:
        arn = call.path[1]
        for cluster in self.clusters.all.values():
            if cluster.account != call.caller.account:
                continue
            if cluster.arn == arn:
                return cluster.tags
            for group in self.nodegroups.groups.of(cluster.key):
                if nodegroup_arn(cluster, group) == arn:
                    tags: dict[str, str] = group.settings["tags"]
                    return tags
        raise AwsError("NotFoundException", f"The specified resource does not exist: {arn}", 404)


def page(call: Call, member: str, names: list[str]) -> dict[str, Any]:
    """Cut a list into pages of maxResults; the token is opaque."""
    size = int(call.query.get("maxResults", MAX_PAGE))
    if not 1 <= size <= MAX_PAGE:
        raise AwsError("InvalidParameterException", f"maxResults must be between 1 and {MAX_PAGE}")
    start = 0
    if call.query.get("nextToken"):
        try:
            start = int(base64.urlsafe_b64decode(call.query["nextToken"]).decode())
        except ValueError:
            raise AwsError("InvalidParameterException", "The nextToken is invalid") from None
    rest = len(names) > start + size
    following = base64.urlsafe_b64encode(str(start + size).encode()).decode() if rest else None
    return {member: names[start : start + size], "nextToken": following}
