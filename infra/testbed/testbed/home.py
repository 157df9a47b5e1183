"""Where one testbed keeps its things, and the names that follow from that place."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from testbed.errors import MisuseError
from testbed.machine import OWN

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "airflow-multicluster" / "testbed"
"""What all testbeds of this user share: built binaries and packed images, under names that hold their digest."""
MADE = ("state.json", "state.json.new", "etcd", "pki", "nodes", "kubeconfigs")
"""What a testbed puts into its home and ``down`` takes away; the logs stay."""
SIGN = ".multicluster-testbed"
"""A file that says that a folder is a testbed's, so that no other folder is ever cleared."""


@dataclass(frozen=True, kw_only=True)
class Home:
    """The folder of one testbed.

    Everything outside of the folder (bridge, cgroup, claim, marks of processes) is named after its path, so that
    what a crash left can be found again without reading any file.
    """

    path: Path

    @classmethod
    def at(cls, path: str | Path) -> Home:
        """Name the same testbed however its path is written.

        Raises:
            MisuseError: No folder can have this path, or programs could not be told it.

        """
        try:
            found = Path(path).expanduser().resolve()
            str(found).encode()
        except (OSError, RuntimeError, ValueError) as error:
            raise MisuseError(f"{str(path)!r} cannot be a home: {error}") from error
        return cls(path=found)

    def command(self, words: str) -> str:
        """Write a command for a person to paste, at the top of the checkout."""
        return f"infra/testbed/run {words} --home {shlex.quote(str(self.path))}"

    @property
    def made(self) -> bool:
        """Say whether a testbed made this folder: nothing is ever taken away from another."""
        return (self.path / SIGN).exists()

    @property
    def id(self) -> str:
        """Eight hexadecimal digits: a network link's name holds fifteen characters."""
        return hashlib.sha256(str(self.path).encode()).hexdigest()[:8]

    @property
    def bridge(self) -> str:
        """The network link that the pods of this testbed hang on."""
        return f"mctb-{self.id}"

    @property
    def cgroup(self) -> str:
        """The control group above all pods of this testbed, below the root of each hierarchy."""
        return f"mctb-{self.id}"

    @property
    def state_file(self) -> Path:
        """Where the state stands."""
        return self.path / "state.json"

    @property
    def pki(self) -> Path:
        """Where keys and certificates stand."""
        return self.path / "pki"

    @property
    def logs(self) -> Path:
        """Where components write; kept by ``down``, emptied by the next ``up``."""
        return self.path / "log"

    @property
    def nodes(self) -> Path:
        """Where each node has a folder."""
        return self.path / "nodes"

    @property
    def verifier_kubeconfig(self) -> Path:
        """Where the testbed's own token verifier says how the API server reaches it."""
        return self.pki / "verifier.json"

    def kubeconfig(self, user: str) -> Path:
        """Where the kubeconfig of *user* is written."""
        return self.path / "kubeconfigs" / f"{quote(user, safe=':@+')}.yaml"

    def create(self) -> None:
        """Make the folder, for root's eyes only.

        Raises:
            MisuseError: The folder holds things and was not made by a testbed, or nodes could not see it.

        """
        if hiding := next((place for place in OWN if self.path.is_relative_to(place)), None):
            raise MisuseError(f"{self.path} cannot be a home: each node has a {hiding} of its own; name another folder")
        if self.path.is_dir() and any(self.path.iterdir()) and not self.made:
            raise MisuseError(f"{self.path} holds things that are not a testbed's; name a new folder with --home")
        self.path.mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o700)
        (self.path / SIGN).touch()

    def clear(self) -> None:
        """Delete what a testbed made here, except the logs; a folder that is not a testbed's is left alone."""
        if not self.made:
            return
        for path in (self.path / name for name in MADE):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
