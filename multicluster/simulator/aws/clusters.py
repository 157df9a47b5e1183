"""Hold the EKS clusters of a world and say who may enter them."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from multicluster.simulator.aws.errors import AwsError
from multicluster.simulator.aws.identities import DEFAULT_ACCOUNT
from multicluster.simulator.aws.sts_hosts import partition_of

if TYPE_CHECKING:
    from multicluster.simulator.aws.identities import Principal
    from multicluster.simulator.ground import Cluster


@dataclass(frozen=True, kw_only=True)
class AccessEntry:
    """Map an IAM principal to a Kubernetes user; ``{{SessionName}}`` in the user name stands for the session's."""

    username: str
    groups: tuple[str, ...] = ()


@dataclass(kw_only=True)
class EksCluster:
    """An EKS cluster: its API server, its entries and its limits."""

    name: str
    region: str
    kubernetes: Cluster
    created: dt.datetime
    version: str = "1.35.4"
    account: str = DEFAULT_ACCOUNT
    status: str = "ACTIVE"
    everyone_is_admin: bool = True
    max_groups: int = 30
    subnets: tuple[str, ...] = ("subnet-a", "subnet-b")
    access: dict[str, AccessEntry] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The key its node groups are kept under."""
        return f"eks:{self.account}/{self.region}/{self.name}"

    @property
    def arn(self) -> str:
        """The cluster's ARN."""
        return f"arn:{self.partition}:eks:{self.region}:{self.account}:cluster/{self.name}"

    @property
    def partition(self) -> str:
        """The AWS partition of the cluster's region."""
        return partition_of(self.region)

    def entry(self, principal: Principal) -> AccessEntry | None:
        """Find the access entry of a principal; by default every identity of the cluster's account is an admin."""
        found = self.access.get(principal.source) or self.access.get(principal.arn)
        if found is not None:
            session = principal.arn.rsplit("/", 1)[-1].replace("@", "-")
            username = found.username.replace("{{SessionName}}", session)
            return AccessEntry(username=username, groups=found.groups)
        if self.everyone_is_admin and principal.account == self.account:
            return AccessEntry(username=principal.arn, groups=("system:masters",))
        return None

    def describe(self) -> dict[str, Any]:
        """Write the cluster as DescribeCluster does."""
        view: dict[str, Any] = {
            "name": self.name,
            "arn": self.arn,
            "createdAt": self.created.timestamp(),
            "version": ".".join(self.version.split(".")[:2]),
            "roleArn": f"arn:aws:iam::{self.account}:role/{self.name}-cluster",
            "resourcesVpcConfig": {
                "subnetIds": list(self.subnets),
                "securityGroupIds": [],
                "vpcId": "vpc-0a1b2c3d",
                "endpointPublicAccess": True,
                "endpointPrivateAccess": False,
                "publicAccessCidrs": ["0.0.0.0/0"],
            },
            "kubernetesNetworkConfig": {"serviceIpv4Cidr": "10.100.0.0/16", "ipFamily": "ipv4"},
            "identity": {"oidc": {"issuer": f"https://oidc.eks.{self.region}.amazonaws.com/id/{self.oidc_id}"}},
            "accessConfig": {"authenticationMode": "API_AND_CONFIG_MAP"},
            "status": self.status,
            "platformVersion": "eks.4",
            "tags": dict(self.tags),
            "health": {"issues": []},
        }
        if self.status in {"ACTIVE", "UPDATING"}:  # a cluster without an endpoint yet shows none
            view["endpoint"] = self.kubernetes.url
            view["certificateAuthority"] = {"data": base64.b64encode(self.kubernetes.ca_pem).decode()}
        return view

    @property
    def oidc_id(self) -> str:
        """The random part of the cluster's OIDC issuer."""
        return hashlib.sha256(self.arn.encode()).hexdigest()[:32].upper()


class EksClusters:
    """Find clusters by account, region and name."""

    def __init__(self) -> None:
        self.all: dict[tuple[str, str, str], EksCluster] = {}

    def add(self, cluster: EksCluster) -> None:
        """Take a cluster in; its name is unique in its account and region."""
        key = (cluster.account, cluster.region, cluster.name)
        if key in self.all:
            raise ValueError(
                f"an EKS cluster named {cluster.name!r} is already in {cluster.region} of {cluster.account}"
            )
        self.all[key] = cluster

    def find(self, account: str, region: str, name: str) -> EksCluster:
        """Return a cluster or refuse as EKS does."""
        if (account, region, name) not in self.all:
            raise AwsError("ResourceNotFoundException", f"No cluster found for name: {name}.", 404, clusterName=name)
        return self.all[account, region, name]

    def names(self, account: str, region: str) -> list[str]:
        """List the names of one account and region."""
        return sorted(name for owner, where, name in self.all if (owner, where) == (account, region))
