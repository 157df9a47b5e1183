"""Put AWS together: identities, clusters, node groups and the gateway in front of them."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from typing import TYPE_CHECKING

from multicluster.simulator.aws.autoscaling import AutoScaling
from multicluster.simulator.aws.clusters import EksClusters
from multicluster.simulator.aws.ec2 import Ec2
from multicluster.simulator.aws.eks import Eks
from multicluster.simulator.aws.gateway import Gateway
from multicluster.simulator.aws.identities import DEFAULT_ACCOUNT, Iam
from multicluster.simulator.aws.nodegroups import Nodegroups, asg_name
from multicluster.simulator.aws.policies import Policies
from multicluster.simulator.aws.schedule_request import SERVICE
from multicluster.simulator.aws.schedules import Schedules
from multicluster.simulator.aws.sts import Sts
from multicluster.simulator.aws.token_verifier import TokenRefusedError, TokenVerifier
from multicluster.simulator.fleet import Problem
from multicluster.simulator.kubernetes.users import User

if TYPE_CHECKING:
    from collections.abc import Callable

    from multicluster.simulator.aws.clusters import EksCluster
    from multicluster.simulator.clock import Clock
    from multicluster.simulator.delays import Delays
    from multicluster.simulator.faults import Faults
    from multicluster.simulator.fleet import Instance, NodeGroup
    from multicluster.simulator.node_groups import NodeGroups
    from multicluster.simulator.wording import Incident


class Aws:
    """AWS as a world has it: every account, every region, one address."""

    def __init__(
        self,
        *,
        groups: NodeGroups,
        clock: Clock,
        signature_clock: Clock,
        delays: Delays,
        faults: Faults,
        fate: Callable[[str, NodeGroup], Incident | None],
    ) -> None:
        self.iam, self.policies = Iam(clock.now), Policies()
        self.key = self.iam.add_user("airflow")
        self.add_account(DEFAULT_ACCOUNT)
        self.clusters, self.groups = EksClusters(), groups
        self.nodegroups = Nodegroups(groups, self.iam, fate)
        self.eks = Eks(self.clusters, self.nodegroups)
        self.schedules = Schedules(
            iam=self.iam, policies=self.policies, eks=self.eks, clock=clock, delays=delays, faults=faults
        )
        self.gateway = Gateway(
            iam=self.iam,
            policies=self.policies,
            clock=clock,
            signature_clock=signature_clock,
            faults=faults,
            eks=self.eks,
            sts=Sts(self.iam),
            autoscaling=AutoScaling(self.clusters, groups),
            ec2=Ec2(self.clusters, groups),
            schedules=self.schedules,
        )
        self.tokens = Tokens(self.gateway.now)
        groups.wordings["eks"] = Ec2Wording()

    def add_account(self, account: str) -> None:
        """Open an account with the roles a node group, a dead-man schedule and a caller from elsewhere need."""
        self.iam.add_role("gpu-node", account, trust=["ec2.amazonaws.com"])
        self.iam.add_role("deadman", account, trust=[SERVICE])
        self.iam.add_role("airflow-gpu", account)

    def authenticator(self, cluster: EksCluster) -> Callable[[str], User | None]:
        """Return what the cluster's API server asks about a bearer token."""
        verifier = TokenVerifier(
            cluster_id=cluster.name, iam=self.iam, now=self.gateway.now, partition=cluster.partition
        )

        def authenticate(token: str) -> User | None:
            try:
                principal, signed = verifier.signer(token)
            except TokenRefusedError as refusal:
                self.tokens.refused.append(str(refusal))
                return None
            entry = cluster.entry(principal)
            if entry is None:
                self.tokens.refused.append(f"ARN is not mapped: {principal.source}")
                return None
            return User(name=entry.username, groups=entry.groups) if self.tokens.admit(token, signed) else None

        return authenticate


class Tokens:
    """Count the EKS tokens that were accepted, and refuse those revoked."""

    def __init__(self, now: Callable[[], dt.datetime]) -> None:
        self.now = now
        self.verified = 0
        self.refused: list[str] = []
        self.seen: set[str] = set()
        self._revoked_before = dt.datetime.min.replace(tzinfo=dt.UTC)
        self._refuse_once: set[str] = set()

    def revoke(self) -> None:
        """Answer 401 to every token signed before now.

        Dates of signatures are whole seconds: a token seen before and signed in this very second is refused once,
        and accepted again after that, since a new one would be the same bytes.
        """
        self._revoked_before = self.now().replace(microsecond=0)
        self._refuse_once = set(self.seen)

    def admit(self, token: str, signed: dt.datetime) -> bool:
        """Count an accepted token; False when it was revoked."""
        digest = hashlib.sha256(token.encode()).hexdigest()
        if signed < self._revoked_before or digest in self._refuse_once:
            self._refuse_once.discard(digest)
            self.refused.append("revoked")
            return False
        self.verified += 1
        self.seen.add(digest)
        return True


class Ec2Wording:
    """Name EC2 instances, and word failed launches as an Auto Scaling group with mixed instances does."""

    def name_instance(self, group: NodeGroup) -> tuple[str, str, str]:
        """Name a new EC2 instance, its node and its address."""
        region = group.key.split("/")[1]
        second, third, fourth = (secrets.randbelow(250) + 1 for _ in range(3))
        domain = "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"
        address = f"10.{second}.{third}.{fourth}"
        return "i-0" + secrets.token_hex(8), f"ip-{address.replace('.', '-')}.{domain}", address

    def provider_id(self, _group: NodeGroup, instance: Instance) -> str:
        """Write ``aws:///ZONE/INSTANCE``."""
        return f"aws:///{instance.zone}/{instance.id}"

    def launch_failed(self, group: NodeGroup, incident: Incident) -> tuple[str, Problem]:
        """Word a failed launch; after half an hour of them the group has AsgInstanceLaunchFailures."""
        kind = "Spot" if group.spot else "On-Demand"
        zone, others = group.zones[0], ", ".join(group.zones[1:]) or f"{group.zones[0][:-1]}f"
        facts = {"{type}": group.machine.name, "{zone}": zone, "{others}": others}
        reason = incident.message
        for blank, fact in facts.items():
            reason = reason.replace(blank, fact)
        message = f"Could not launch {kind} Instances. {incident.code} - {reason} Launching EC2 instance failed."
        return message, Problem(code="AsgInstanceLaunchFailures", message=message, resource_ids=(asg_name(group),))
