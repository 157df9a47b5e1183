"""What testbeds on one machine share out among themselves: address ranges and ports.

The claims stand in one file under /run, because what they name (links, listening sockets) does not outlive a reboot
either. A claim is freed by ``down``, or when its home has no living process any more and its claimant has ended.
"""

from __future__ import annotations

import ipaddress
import json
import os
import random
import socket
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from testbed import processes
from testbed.errors import LauncherError
from testbed.home import Home
from testbed.locks import SHARED, locked

PORTS = range(20000, 30000)
"""Below the range from which the kernel takes ports for outgoing connections, so that none takes ours meanwhile."""
NUMBERS = range(180, 250)
CLAIMANT_NUMBERS = 2
"""A process and its birth."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What one testbed has to itself: 10.NUMBER.0.0/16 for pods, 127.NUMBER.0.0/16 for kubelets, and ports."""

    number: int
    api: int
    etcd: int
    peer: int
    registry: int


def claim(home: Home, *, shared: Path = SHARED) -> Claim:
    """Take a number and ports that nothing on this machine uses; a testbed that asks twice gets the same."""
    with locked(shared / "lock"):
        entries = living(read(shared))
        key = str(home.path)
        if key not in entries:
            entries[key] = entry(entries.values())
            write(shared, entries)
        return Claim(**entries[key]["claim"])


def release(home: Home, *, shared: Path = SHARED) -> None:
    """Give back what *home* has claimed; nothing happens if it has not."""
    with locked(shared / "lock"):
        entries = read(shared)
        if entries.pop(str(home.path), None):
            write(shared, entries)


def entry(others: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Make a claim beside *others*, and note who claims."""
    taken = [other["claim"] for other in others]
    ports = iter(free_ports({port for one in taken for name, port in one.items() if name != "number"}))
    number = free_number({one["number"] for one in taken}, used_networks())
    chosen = Claim(number=number, api=next(ports), etcd=next(ports), peer=next(ports), registry=next(ports))
    return {"claim": asdict(chosen), "claimant": [os.getpid(), born(os.getpid())]}


def living(entries: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Leave out the claims of testbeds that are gone without ``down``, as after a crash and a ``rm -rf``."""
    return {
        path: one
        for path, one in entries.items()
        if born(one["claimant"][0]) == one["claimant"][1] or processes.marked(Home(path=Path(path)))
    }


def free_number(taken: set[int], used: list[ipaddress.IPv4Network]) -> int:
    """Choose the first number whose pod network meets no other testbed and no route of this machine."""
    for number in NUMBERS:
        network = ipaddress.IPv4Network(f"10.{number}.0.0/16")
        if number not in taken and not any(network.overlaps(other) for other in used):
            return number
    raise LauncherError(
        f"no network from 10.{NUMBERS[0]}.0.0/16 to 10.{NUMBERS[-1]}.0.0/16 is free on this machine; see `ip route`"
    )


def used_networks() -> list[ipaddress.IPv4Network]:
    """List the networks that this machine has a route to, except the default one."""
    routes = json.loads(processes.run("ip", "-json", "-4", "route", "show", "table", "all").stdout or "[]")
    named = [route["dst"] for route in routes if route.get("dst", "default") != "default"]
    networks = [ipaddress.IPv4Network(name, strict=False) for name in named]
    return [network for network in networks if network.prefixlen]


def free_ports(taken: set[int]) -> Iterable[int]:
    """Give ports of 127.0.0.1 that nothing listens on, each once, in an order that differs from run to run."""
    for port in random.sample(PORTS, len(PORTS)):
        if port not in taken and is_free("127.0.0.1", port):
            yield port
    raise LauncherError(f"no port between {PORTS[0]} and {PORTS[-1]} is free on 127.0.0.1")


def is_free(address: str, port: int) -> bool:
    """Say whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def born(pid: int) -> int | None:
    """Give the start time of a process, which with its number names it for good; None if it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[19])


def read(shared: Path) -> dict[str, dict[str, Any]]:
    """Read all claims; a file that cannot be read holds none, and what is no claim is left out."""
    try:
        document = json.loads((shared / "claims.json").read_text())
    except (OSError, ValueError):
        return {}
    return {path: one for path, one in document.items() if sound(one)} if isinstance(document, dict) else {}


def sound(one: Any) -> bool:
    """Say whether this is an entry as ``entry`` makes it; another version may have written another."""
    try:
        numbers = [*asdict(Claim(**one["claim"])).values(), *one["claimant"]]
    except (TypeError, KeyError):
        return False
    return len(one["claimant"]) == CLAIMANT_NUMBERS and all(type(number) is int for number in numbers)


def write(shared: Path, entries: dict[str, dict[str, Any]]) -> None:
    """Replace the claims as a whole, so that a crash leaves the old or the new ones."""
    new = shared / "claims.json.new"
    new.write_text(json.dumps(entries, indent=1))
    new.rename(shared / "claims.json")
