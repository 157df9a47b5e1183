"""AWS's own verifier as a program: both releases, built from `infra/testbed/verifier`."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from multicluster.simulator import World

SOURCE = Path(__file__).resolve().parents[3] / "infra" / "testbed" / "verifier"
CACHE = Path.home() / ".cache" / "airflow-multicluster" / "testbed"
MODULES = {"v06": "v06.mod", "v07": "go.mod"}


class NotBuiltError(Exception):
    """The verifier cannot be built here; the message says why."""


def build(release: str) -> Path:
    """Return the program, built once for its sources. Raises NotBuiltError where Go or its modules cannot be had."""
    sources = sorted(p for p in SOURCE.iterdir() if p.suffix in {".go", ".mod", ".sum"} and "_test" not in p.name)
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    program = CACHE / f"verifier-{digest}" / release
    if program.exists():
        return program
    if shutil.which("go") is None:
        raise NotBuiltError("Go is not installed, so AWS's token verifier is not built")
    chosen = [f"-modfile={MODULES[release]}"]
    if go("mod", "download", *chosen).returncode:
        raise NotBuiltError("the modules of AWS's token verifier cannot be downloaded")
    program.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=program.parent) as folder:
        made = Path(folder) / "verifier"
        done = go("build", "-trimpath", "-ldflags", "-s -w", *chosen, "-o", str(made), ".")
        assert done.returncode == 0, done.stderr
        made.replace(program)
    return program


def go(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Go where the verifier's sources are."""
    environment = {**os.environ, "CGO_ENABLED": "0"}
    return subprocess.run(
        ["go", *arguments], cwd=SOURCE, env=environment, capture_output=True, text=True, timeout=900, check=False
    )


@dataclass(frozen=True, kw_only=True)
class Verifier:
    """One release, asking the STS of a world."""

    program: Path
    world: World

    def judge(
        self, tokens: Sequence[str], *, cluster: str, region: str, partition: str = "aws"
    ) -> list[dict[str, Any]]:
        """Return what it says of each token; nobody is mapped to a Kubernetes user."""
        done = subprocess.run(
            [*self._command(cluster, region, partition), "-check"],
            input="\n".join(map(json.dumps, tokens)),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    @contextlib.contextmanager
    def serve(self, mapping: dict[str, Any], *, cluster: str, region: str, folder: Path) -> Iterator[Webhook]:
        """Serve TokenReviews until the block ends."""
        (folder / "mapping.json").write_text(json.dumps(mapping))
        webhook = Webhook(kubeconfig=folder / "webhook.kubeconfig", log=folder / "verifier.log")
        options = ["-mapping", str(folder / "mapping.json"), "-kubeconfig", str(webhook.kubeconfig), "-log-reasons"]
        options += ["-tokeninfo", f"{self.world.google.url}/tokeninfo"]
        with webhook.log.open("w") as log:
            process = subprocess.Popen([*self._command(cluster, region, "aws"), *options], stdout=log, stderr=log)
        try:
            end = time.monotonic() + 10
            while not webhook.kubeconfig.exists():
                assert process.poll() is None, webhook.log.read_text()
                assert time.monotonic() < end, "the verifier does not serve"
                time.sleep(0.02)
            yield webhook
        finally:
            process.terminate()
            process.wait(10)

    def _command(self, cluster: str, region: str, partition: str) -> list[str]:
        ca = self.world.root / "world-ca.pem"
        ca.write_bytes(self.world.ca.pem)
        place = ["-cluster", cluster, "-region", region, "-partition", partition]
        return [str(self.program), *place, "-sts", urlsplit(self.world.aws_url).netloc, "-ca", str(ca)]


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """A verifier that serves."""

    kubeconfig: Path
    log: Path

    def reasons(self) -> list[str]:
        """Return why tokens were refused, oldest first."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line["refused"] for line in lines if line["refused"]]
