"""Put faults of the catalogue in force."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from multicluster.simulator.catalogue import COMMON, DEED_OPTIONS, DEEDS, ENTRIES, FAULTS
from multicluster.simulator.faults import Delay, Fault, HttpError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from multicluster.simulator.world import World


def refuse_unknown(name: str) -> None:
    """Raise ValueError for a fault that is not in the catalogue."""
    if name not in FAULTS:
        near = "".join(get_close_matches(name, FAULTS, n=1, cutoff=0.7))
        hint = f"did you mean {near}?" if near else "`multicluster simulator faults` lists them"
        raise ValueError(f"no fault named {name!r}; {hint}")


def inject(world: World, name: str, *, target: str, times: int | None, options: Mapping[str, str]) -> None:
    """Put a fault in force, or do the deed, on the world's loop; raises ValueError for an unknown name or option."""
    refuse_unknown(name)
    known = (*COMMON, *ENTRIES[name].options) if name in ENTRIES else DEED_OPTIONS.get(name, ())
    unknown = set(options) - set(known)
    if unknown:
        raise ValueError(f"unknown option {min(unknown)!r} of fault {name!r}; known are {', '.join(sorted(known))}")
    if name in world.ground.unable:
        raise ValueError(f"fault {name!r} cannot strike on this ground: {world.ground.unable[name]}")
    if name in DEEDS:
        do(world, name, target, options)
    else:
        world.faults.add(build(name, target=target, times=times, options=options))


def build(name: str, *, target: str = ".*", times: int | None = None, options: Mapping[str, str]) -> Fault:
    """Build a fault of the catalogue with the options given. Raises ValueError for a number that is none."""
    entry = ENTRIES[name]
    effect = entry.effect
    if isinstance(effect, HttpError):
        code, message = options.get("code", effect.reason), options.get("message", effect.message)
        effect = replace(effect, reason=code, message=message)
    elif isinstance(effect, Delay):
        effect = Delay(seconds=float(options.get("seconds", effect.seconds)))
    probability = float(options.get("probability", "1"))
    if not 0 <= probability <= 1:
        raise ValueError(f"the probability of fault {name!r} is {probability}; it must be from 0 to 1")
    return Fault(
        name=name,
        effect=effect,
        service=options.get("service", entry.service),
        operation=options.get("operation", entry.operation),
        target=target,
        after=int(options.get("after", "0")),
        times=times if times is not None else entry.times,
        probability=probability,
        seed=int(options.get("seed", "0")),
    )


def do(world: World, name: str, target: str, options: Mapping[str, str]) -> None:
    """Do a deed of the catalogue once, now."""
    if name == "tokens-expire":
        world.aws.tokens.revoke()
        world.google.tokens.revoke()
    elif name == "sessions-end":
        world.aws.iam.end_sessions()
    elif name == "clock-skew":
        world.aws.gateway.skew = dt.timedelta(seconds=float(options.get("seconds", "600")))
    elif name == "certificate-rotates":
        for entrance in world.entrances.values():
            entrance.kubernetes.rotate_certificate()
    else:
        world.groups.lose_one(target, replace=name == "node-lost")
