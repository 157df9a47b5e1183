"""Check the ``defaults`` of a registry document by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from multicluster.access.kind import KindDefinition
from multicluster.registry.defaults import BLOCKS, with_defaults
from multicluster.registry.findings import Finding, validated
from multicluster.registry.kinds import Kinds
from multicluster.registry.nearest import hint
from multicluster.registry.words import noun_of


def check_defaults(defaults: Mapping[str, Any], kinds: Kinds) -> list[Finding]:
    """Find what no cluster could meet: each block is checked as clusters of its kind would meet it.

    What a cluster may still add is allowed to be missing.
    """
    found = list(_strange(defaults, kinds))
    blocks = {name: value for name, value in defaults.items() if name in BLOCKS and value is not None}
    if not blocks:
        return found
    named = [name for block in ("auth", "nodePools") for name in _keys(blocks.get(block)) if name in kinds]
    met: list[KindDefinition | None] = [kinds[name] for name in dict.fromkeys(named)]
    for kind in met or [None]:
        found += _met_by(blocks, kind, kinds)
    return list(dict.fromkeys(found))


def _strange(defaults: Mapping[str, Any], kinds: Kinds) -> Iterator[Finding]:
    for name, value in defaults.items():
        if name not in BLOCKS:
            yield Finding(path=("defaults", name), at="key", message=f"unknown field; {hint(name, BLOCKS)}")
        elif not isinstance(value, dict | None):
            yield Finding(path=("defaults", name), message=f"must be a mapping, not {noun_of(value)}")
    for block, others in (("auth", ()), ("nodePools", ("profiles", "limits"))):
        for name in _keys(defaults.get(block)):
            if name not in (*others, *kinds):
                message = f"unknown kind of cluster; {hint(name, [*others, *kinds])}"
                yield Finding(path=("defaults", block, name), at="key", message=message)


def _met_by(blocks: Mapping[str, Any], kind: KindDefinition | None, kinds: Kinds) -> list[Finding]:
    name = kind.name if kind else None
    cluster = with_defaults({"name": "defaults", "auth": {name: {}}}, blocks, name)
    result = validated(cluster, ("defaults",), kind, kinds)
    return [one for one in result if not one.incomplete] if isinstance(result, list) else []


def _keys(block: Any) -> tuple[str, ...]:
    return tuple(block) if isinstance(block, dict) else ()
