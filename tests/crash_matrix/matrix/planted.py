"""Bugs that the matrix must find: each is put into our code for a block, as somebody might write it one day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any
from unittest.mock import patch

from matrix.bracket import Bracket
from multicluster.brackets import deletion, gone
from multicluster.kinds.eks import node_pools as eks
from multicluster.kinds.eks.node_pools import EksNodePools
from multicluster.node_pools.lease import MANAGED_BY
from multicluster.reaper import reaper
from multicluster.reaper.deed import Deeds
from multicluster.reaper.look import look
from multicluster.reaper.plan import Outcome, Result, Step

ROUNDS_IN_CACHE = 6


@contextmanager
def no_lease_at_create() -> Iterator[None]:
    """Write the lease after the pool was made, if at all."""
    written = eks.nodegroup_request

    def request(*arguments: Any) -> dict[str, Any]:
        made = written(*arguments)
        made["tags"] = {name: value for name, value in made["tags"].items() if name != MANAGED_BY}
        return made

    with patch.object(eks, "nodegroup_request", request):
        yield


@contextmanager
def delete_on_wrong_owner() -> Iterator[None]:
    """Delete the pool of that name, whoever owns it."""

    def trust(pool: Any, **_: Any) -> Any:
        return pool.lease

    with patch.object(deletion, "refuse_strange", trust), patch.object(gone, "refuse_strange", trust):
        yield


@contextmanager
def reaper_trusts_cache() -> Iterator[None]:
    """Judge by what was seen some rounds ago, and delete without a second look."""
    seen: dict[str, tuple[int, Any]] = {}

    def remembered(cluster: Any, *arguments: Any) -> Any:
        rounds, sighting = seen.get(cluster.name, (ROUNDS_IN_CACHE, None))
        if rounds >= ROUNDS_IN_CACHE:
            rounds, sighting = 0, look(cluster, *arguments)
        seen[cluster.name] = (rounds + 1, sighting)
        return sighting

    def delete(_deeds: Deeds, step: Step, pools: Any) -> Outcome:
        pools.delete(step.name)
        return Outcome(step=step, result=Result.DONE, reason=step.reason)

    with patch.object(reaper, "look", remembered), patch.object(Deeds, "_delete", delete):
        yield


@contextmanager
def teardown_by_default_rule() -> Iterator[None]:
    """Run the teardown only where all went well."""
    with patch.object(Bracket, "TEARDOWN", "all_success"):
        yield


@contextmanager
def arm_after_create() -> Iterator[None]:
    """Make the pool, then arm the dead-man switch."""
    create, arm = EksNodePools.create, EksNodePools._arm

    def made(pools: EksNodePools, spec: Any, lease: Any) -> Any:
        with patch.object(EksNodePools, "_arm", lambda *_: None):
            pool = create(pools, spec, lease)
        arm(pools, spec.name, lease)
        return pool

    with patch.object(EksNodePools, "create", made):
        yield


@contextmanager
def not_found_is_gone() -> Iterator[None]:
    """Believe the first answer that there is no such pool."""
    with patch.object(gone, "IN_A_ROW", 1), patch.object(gone.GoneLookout, "_certain", lambda _: True):
        yield


PLANTS: dict[str, Callable[[], AbstractContextManager[None]]] = {
    "no-lease-at-create": no_lease_at_create,
    "delete-on-wrong-owner": delete_on_wrong_owner,
    "reaper-trusts-cache": reaper_trusts_cache,
    "teardown-by-default-rule": teardown_by_default_rule,
    "arm-after-create": arm_after_create,
    "not-found-is-gone": not_found_is_gone,
}


def planted(name: str | None) -> AbstractContextManager[None]:
    """Return the block with a bug in it; with none, for None."""
    return PLANTS[name]() if name else nullcontext()
