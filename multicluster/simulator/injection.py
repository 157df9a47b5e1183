"""Put faults of the catalogue in force."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from multicluster.simulator.catalogue import DEEDS, ENTRIES, FAULTS
from multicluster.simulator.faults import Delay, Fault, HttpError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from multicluster.simulator.world import World

OPTIONS = {"operation", "code", "message", "seconds", "after", "service"}


def inject(world: World, name: str, *, target: str, times: int | None, options: Mapping[str, str]) -> None:
    """Put a fault in force, or do the deed, on the world's loop; raises ValueError for an unknown name or option."""
    unknown = set(options) - OPTIONS
    if unknown:
        raise ValueError(f"unknown option {min(unknown)!r} of fault {name!r}; known are {', '.join(sorted(OPTIONS))}")
    if name in world.ground.unable:
        raise ValueError(f"fault {name!r} cannot strike on this ground: {world.ground.unable[name]}")
    if name in ENTRIES:
        world.faults.add(build(name, target=target, times=times, options=options))
    elif name in DEEDS:
        do(world, name, target, options)
    else:
        raise ValueError(f"no fault named {name!r}; known are {', '.join(FAULTS)}")


def build(name: str, *, target: str, times: int | None, options: Mapping[str, str]) -> Fault:
    """Build a fault of the catalogue with the options given."""
    entry = ENTRIES[name]
    effect = entry.effect
    if isinstance(effect, HttpError):
        code, message = options.get("code", effect.reason), options.get("message", effect.message)
        effect = HttpError(code=effect.code, reason=code, message=message)
    elif isinstance(effect, Delay):
        effect = Delay(seconds=float(options.get("seconds", effect.seconds)))
    return Fault(
        name=name,
        effect=effect,
        service=options.get("service", entry.service),
        operation=options.get("operation", entry.operation),
        target=target,
        after=int(options.get("after", "0")),
        times=times if times is not None else entry.times,
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
