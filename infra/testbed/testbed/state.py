"""What the commands of one testbed tell each other: a small JSON file, replaced as a whole."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from testbed.claims import Claim
from testbed.errors import LauncherError
from testbed.home import Home


@dataclass(frozen=True, kw_only=True)
class State:
    """A testbed, as ``up`` has decided it before its first process started.

    *webhook* is the path of a kubeconfig; *verifier* what the token verifier behind it was given, where that is the
    testbed's own. *complete* says that its control plane was up once: from then on its etcd is somebody's.
    """

    cluster_name: str
    kubernetes: str
    binaries: Path
    claim: Claim
    webhook: str = ""
    verifier: tuple[str, ...] = ()
    complete: bool = True

    @property
    def server(self) -> str:
        """The API server's address, for whoever is on this machine."""
        return f"https://127.0.0.1:{self.claim.api}"

    @property
    def pod_network(self) -> str:
        """The addresses of pods and, at its upper end, of services."""
        return f"10.{self.claim.number}.0.0/16"

    @property
    def service_network(self) -> str:
        """The addresses of services; no node reaches so far up."""
        return f"10.{self.claim.number}.240.0/20"

    @property
    def service_address(self) -> str:
        """The address of the service ``kubernetes``, at which pods find the API server."""
        return f"10.{self.claim.number}.240.1"

    @property
    def dns_address(self) -> str:
        """The address that pods ask for names. Nobody answers there, and says so at once: this machine has it."""
        return f"10.{self.claim.number}.240.10"


def save(home: Home, state: State) -> None:
    """Write the state so that a crash leaves the old or the new one."""
    new = home.state_file.with_suffix(".json.new")
    new.write_text(json.dumps(asdict(state) | {"binaries": str(state.binaries)}, indent=1))
    new.rename(home.state_file)


def load(home: Home) -> State:
    """Read the state.

    Raises:
        LauncherError: There is no testbed here, or its state cannot be read.

    """
    try:
        document = json.loads(home.state_file.read_text())
        claim = Claim(**document.pop("claim"))
        known = {
            "binaries": Path(document["binaries"]),
            "verifier": tuple(document.get("verifier", ())),
            "claim": claim,
        }
        return State(**document | known)
    except FileNotFoundError:
        raise LauncherError(f"there is no testbed at {home.path}; start one with: {home.command('up')}") from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise LauncherError(
            f"the state of the testbed at {home.path} cannot be read ({error!r}); end it with: {home.command('down')}"
        ) from error
