"""The world, the Airflow on it, and the plays."""

from __future__ import annotations

import contextlib
import copy
import json
import shutil
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self, TypeVar

from airflow_stage.deployment import Deployment
from airflow_stage.waiting import until

from endings_stage.canaries import Planted
from endings_stage.line import Line
from endings_stage.play import Ending, Play
from endings_stage.script import Script
from multicluster.simulator import Delays, World
from multicluster.simulator.aws.cloud import Tokens
from multicluster.simulator.environment import kubeconfig

T = TypeVar("T")
DAGS = Path(__file__).parents[1] / "dags"
STARTING = 6
"""How many plays start at the same time: on a machine that is too busy, Airflow takes its own parts for dead."""
SPARE_WORKERS = 6
"""Worker processes beyond one for each play that waits in its worker."""


class Told:
    """An answer that is asked for again when it is older than *age* seconds; many threads share it."""

    def __init__(self, ask: Callable[[], T], age: float) -> None:
        self._ask = ask
        self._age = age
        self._lock = threading.Lock()
        self._asked = 0.0
        self._answer: T | None = None

    def __call__(self) -> Any:
        with self._lock:
            if time.monotonic() - self._asked > self._age:
                self._answer = self._ask()
                self._asked = time.monotonic()
            return self._answer


class Stage:
    """Everything that a test looks at. Use it as a context manager."""

    def __init__(self, casts: Collection[tuple[Script, str]]) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="multicluster-endings-"))
        self.root.chmod(0o711)  # PostgreSQL's user passes through
        self.closed = False
        """Nothing is awaited any more."""
        self.made: dict[str, set[str]] = defaultdict(set)
        """The pods that were seen, by namespace."""
        self.tasks = Told(lambda: self.api.tasks(), 1.5)  # noqa: PLW0108 - the api comes later
        self.runs = Told(lambda: self.api.runs(), 1.5)  # noqa: PLW0108
        self.pods = Told(self._pods, 0.3)
        self.few_at_a_time = threading.Semaphore(STARTING)
        self._endings: dict[tuple[str, str], Future[Ending]] = {}
        with contextlib.ExitStack() as careful:
            careful.callback(shutil.rmtree, self.root, ignore_errors=True)
            self.world = careful.enter_context(World(delays=Delays.none(), root=self.root / "world"))
            self.world.add_eks("gpu")
            self.world.add_gke("gke")
            self.world.add_plain("here")
            self.world.add_plain("anchor")
            self.tokens = {
                name: self._apart(name) for name in (f"{script.name}-{mode}" for script, mode in casts if script.own)
            }
            """The tokens of each cluster that is one play's own: they expire without those of others."""
            self.plays = {(script.name, mode): Play(self, script, mode) for script, mode in casts}
            self._threads = ThreadPoolExecutor(max(len(self.plays), 1), thread_name_prefix="play")
            careful.callback(self._threads.shutdown, wait=False, cancel_futures=True)
            self.deployment = self._deployment()
            self.api = self.deployment.api
            self._last = careful.pop_all()

    def _deployment(self) -> Deployment:
        home = self.root / "airflow"
        (home / "dags").mkdir(parents=True)
        for file in DAGS.glob("*.py"):
            (home / "dags" / file.name).symlink_to(file)
        anchors = self.root / "anchor-kubeconfig"
        anchors.write_text(json.dumps(kubeconfig([self.world.entrances["anchor"]])))
        documents = [{**play.document(), "kubeconfig": str(anchors)} for play in self.plays.values()]
        (home / "dags" / "plays.json").write_text(json.dumps(documents))
        self.planted = Planted.into(self.world, self.root)
        self._write_kubeconfig()
        env = {**self.world.env(), **self.planted.env, "MULTICLUSTER_REGISTRY": str(self._registry())}
        del env["AWS_ENDPOINT_URL_STS"]  # the stock EKS operator would sign its tokens for this address: none is good
        workers = SPARE_WORKERS + sum(mode == "sync" for _, mode in self.plays)
        return Deployment(home, env, workers=workers, settings={"MULTICLUSTER__DEPLOYMENT": "endings"})

    def _apart(self, name: str) -> Tokens:
        cluster, aws = self.world.add_eks(name), copy.copy(self.world.aws)
        aws.tokens = Tokens(aws.gateway.now)
        self.world._authenticators[name] = aws.authenticator(cluster)
        return aws.tokens

    def new_line(self, cluster: str) -> Line:
        """Lay a line to a cluster."""
        port = int(self.world.entrances[cluster].kubernetes.url.rpartition(":")[2])
        return Line(self.world.host, port)

    def _write_kubeconfig(self) -> None:
        """Write the world's kubeconfig, with a context for each line, and a client's key where there is a token."""
        document: Any = self.world.kubeconfig()
        for play in self.plays.values():
            if play.line is not None:
                (cluster,) = (one["cluster"] for one in document["clusters"] if one["name"] == play.script.cluster)
                document["clusters"].append({"name": play.cluster, "cluster": {**cluster, "server": play.line.url}})
                context = {"cluster": play.cluster, "user": f"{play.script.cluster}-admin"}
                document["contexts"].append({"name": play.cluster, "context": context})
        user = next(one["user"] for one in document["users"] if one["name"] == "here-admin")
        user.update(self.planted.client)
        path = self.root / "kubeconfig"
        path.write_text(json.dumps(document))
        path.chmod(0o600)

    def _registry(self) -> Path:
        document: Any = self.world.registry()
        ours = {"path": str(self.root / "kubeconfig")}
        document["clusters"] = [one for one in document["clusters"] if one["name"] != "here"]
        for name in ("here", *(play.cluster for play in self.plays.values() if play.line is not None)):
            document["clusters"].append({"name": name, "auth": {"kubeconfig": {**ours, "context": name}}})
        path = self.root / "registry.json"
        path.write_text(json.dumps(document))
        return path

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as careful:
            careful.callback(self._last.close)
            careful.callback(self.deployment.stop)
            self.deployment.start()
            until(self._read, "the DAGs")
            for play in self.plays.values():
                play.prepare()
            careful.pop_all()
        for key, play in self.plays.items():
            if play.script.deed is not None:
                self._endings[key] = self._threads.submit(play.perform)
            elif not play.script.late:
                play.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True
        with self._last:
            self.deployment.stop()

    def _read(self) -> bool:
        if errors := self.api.import_errors():
            raise RuntimeError(errors[0])
        return self.api.dags() == len(self.plays) + 1  # and the reaper's

    def ending(self, script: Script, mode: str) -> Ending:
        """Block until a play has ended, and say how."""
        return self._endings[script.name, mode].result()

    def _pods(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for entrance in self.world.entrances.values():
            for pod in entrance.kubernetes.objects("pods"):
                metadata = pod["metadata"]
                found[metadata["namespace"]][metadata["name"]] = pod["status"].get("phase", "Pending")
                if "kubernetes_pod_operator" in metadata.get("labels", {}):
                    self.made[metadata["namespace"]].add(metadata["uid"])
        return found
