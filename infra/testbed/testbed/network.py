"""One bridge for each testbed: its pods hang on it, whatever their node, and this machine has an address on it.

Nothing is forwarded or translated, so no kernel setting and no firewall rule changes: pods reach each other and this
machine, and nothing beyond it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from testbed.errors import LauncherError
from testbed.home import Home
from testbed.processes import run
from testbed.state import State

PLUGIN_FOLDERS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"), Path("/usr/libexec/cni"))
"""Where Debian, everybody else and Fedora install the CNI plugins."""


def plugin_folder() -> Path | None:
    """Find the folder of the CNI plugins."""
    return next((folder for folder in PLUGIN_FOLDERS if (folder / "bridge").exists()), None)


def create_bridge(home: Home, state: State) -> None:
    """Make the bridge with the addresses of the pods' gateway, of the service ``kubernetes``, and of no DNS."""
    run("ip", "link", "add", home.bridge, "type", "bridge")
    run("ip", "link", "set", home.bridge, "addrgenmode", "none")
    run("ip", "address", "add", f"10.{state.claim.number}.0.1/16", "dev", home.bridge)
    for address in (state.service_address, state.dns_address):
        run("ip", "address", "add", f"{address}/32", "dev", home.bridge)
    run("ip", "link", "set", home.bridge, "up")


def delete_bridge(home: Home) -> None:
    """Delete the bridge and the pods' ends that still hang on it; what is gone already is as good."""
    for link in links():
        if home.bridge in {link["ifname"], link.get("master")}:
            delete_link(link["ifname"])


def delete_link(name: str) -> None:
    """Delete a link, unless the kernel was faster: a pod's end goes with the pod's network namespace."""
    try:
        run("ip", "link", "delete", name)
    except LauncherError:
        if name in {link["ifname"] for link in links()}:
            raise


def links() -> list[dict[str, Any]]:
    """List the network links of this machine."""
    listed: list[dict[str, Any]] = json.loads(run("ip", "-json", "link", "show").stdout or "[]")
    return [link for link in listed if link]


def plugin_configuration(home: Home, state: State, index: int, addresses: Path) -> dict[str, Any]:
    """Give the CNI configuration of a node: the testbed's bridge, and 254 addresses of its own; *index* is from 1."""
    number = state.claim.number
    pods = {
        "subnet": state.pod_network,
        "rangeStart": f"10.{number}.{index}.1",
        "rangeEnd": f"10.{number}.{index}.254",
        "gateway": f"10.{number}.0.1",
    }
    allocation = {
        "type": "host-local",
        "dataDir": str(addresses),
        "ranges": [[pods]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    bridge = {"type": "bridge", "bridge": home.bridge, "isGateway": False, "ipMasq": False, "ipam": allocation}
    return {"cniVersion": "0.4.0", "name": "testbed", "plugins": [bridge]}
