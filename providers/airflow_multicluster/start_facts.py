"""Ask cluster and cloud what a pod that no node takes does not say itself."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from multicluster.brackets.facts import list_nodes
from multicluster.errors import MulticlusterError, NodePoolNotFoundError
from multicluster.pods.reading import at

if TYPE_CHECKING:
    from multicluster import Cluster
    from multicluster.node_pools.node_facts import NodeFacts
    from multicluster.pods.source import Document

GOOD_SECONDS = 8.0
"""How long an answer about a node pool is good for: what is known shall stand in the log within ten seconds."""
ALL_NODES_GOOD_SECONDS = 30.0
MOST_NODES = 200
"""Of a cluster with more nodes, they are not looked at: the list would be megabytes."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class StartFacts:
    """What was asked for."""

    nodes: tuple[NodeFacts, ...] | None = None
    """The nodes of the pod's node pool, or, of a pod without one, all nodes; None where that is not known."""
    cloud: tuple[str, ...] = ()
    """What the cloud says of the pod's node pool."""
    pool: str = ""


class Enquiry:
    """Asks for the pods of one cluster, for each node pool no more often than every ``GOOD_SECONDS``. It blocks."""

    def __init__(self, cluster: Cluster, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._cluster = cluster
        self._clock = clock
        self._known: dict[str, tuple[float, StartFacts]] = {}

    def ask(self, pod: Document) -> StartFacts:
        """Return what is known, asked for now where it is not good any more. No refusal gets out of here."""
        pool = pool_of(self._cluster, pod)
        asked, facts = self._known.get(pool, (float("-inf"), StartFacts()))
        if self._clock() - asked >= (GOOD_SECONDS if pool else ALL_NODES_GOOD_SECONDS):
            facts = StartFacts(nodes=_nodes(self._cluster, pool), cloud=_cloud(self._cluster, pool), pool=pool)
            self._known[pool] = (self._clock(), facts)
        return facts


def pool_of(cluster: Cluster, pod: Document) -> str:
    """Return the node pool that the pod's node selector names; empty where it names none."""
    selector = (at(pod, "spec", "nodeSelector") or {}).items()
    try:
        return next((value for key, value in selector if cluster.node_selector(value) == (key, value)), "")
    except MulticlusterError:
        return ""


def _nodes(cluster: Cluster, pool: str) -> tuple[NodeFacts, ...] | None:
    from kubernetes.client import ApiException
    from urllib3.exceptions import HTTPError

    selector = cluster.node_selector(pool) if pool else None
    try:
        found = list_nodes(cluster, selector, limit=MOST_NODES + 1)
    except (ApiException, HTTPError, MulticlusterError, ValueError) as error:
        _log.debug("Cannot look at the nodes of cluster %s: %s", cluster.name, error)
        return None
    return tuple(found) if len(found) <= MOST_NODES else None


def _cloud(cluster: Cluster, pool: str) -> tuple[str, ...]:
    if not pool:
        return ()
    try:
        problems = cluster.node_pools().get(pool).problems
    except NodePoolNotFoundError as error:
        return (str(error),)
    except MulticlusterError as error:
        _log.debug("Cannot ask for node pool %s of cluster %s: %s", pool, cluster.name, error)
        return ()
    return tuple(f"{one.code}: {one.message}" for one in problems)
