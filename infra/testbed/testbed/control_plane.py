"""The command lines of the control plane's components, and the order in which they start."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from testbed import images, kubeconfig, processes, verifier
from testbed.api import Api, until
from testbed.certificates import Authority, write_signing_key
from testbed.checkpoint import Step, passed
from testbed.home import Home
from testbed.state import State

PARTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "service", "registry")
VERIFIER = "verifier"
"""The part that is there only where it was asked for."""
NAMES = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
BOOTSTRAP = "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:kube-controller-manager"
AUTHENTICATION = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """A kubeconfig that leads to a TokenReview server, which says who a bearer token is, and how long that counts."""

    file: Path
    cache_ttl: str = "2m"


def certify(home: Home, state: State) -> None:
    """Make both authorities (etcd trusts its own only) and what the control plane shows and checks."""
    authority, inner = Authority.create(home.pki, "ca"), Authority.create(home.pki, "etcd-ca")
    serving = ["localhost", "127.0.0.1", state.service_address, *NAMES]
    authority.issue("kube-apiserver", names=serving).write(home.pki, "apiserver")
    authority.issue("admin", groups=["system:masters"]).write(home.pki, "admin")
    authority.issue("kube-apiserver-kubelet-client", groups=["system:masters"]).write(home.pki, "kubelet-client")
    inner.issue("etcd", names=["localhost", "127.0.0.1"]).write(home.pki, "etcd")
    write_signing_key(home.pki / "service-account.key")


def start(home: Home, state: State, webhook: Webhook | None) -> Api:
    """Start all components that do not run; end when the API server answers and pods can be made in ``default``."""
    launch(home, "etcd", lambda: etcd(home, state))
    passed(Step.ETCD)
    if state.verifier:
        start_verifier(home, state)
    launch(home, "kube-apiserver", lambda: api_server(home, state, webhook))
    passed(Step.API_SERVER)
    api = Api.of(home, state)
    wait = waiting(home, "etcd", "kube-apiserver")
    wait("the API server does not answer", lambda: api.find("/readyz"))
    passed(Step.SERVING)
    # Both end themselves when they start before their rights and the configmap of the API server are there.
    wait("the API server does not write its first roles", lambda: api.find(BOOTSTRAP))
    wait("the API server does not publish its authentication", lambda: api.find(AUTHENTICATION))
    launch(home, "kube-controller-manager", lambda: controller_manager(home, state))
    launch(home, "kube-scheduler", lambda: scheduler(home, state))
    own = [sys.executable, "-m"]
    launch(home, "registry", lambda: [*own, "testbed.registry", str(state.claim.registry), str(images.archive())])
    launch(home, "service", lambda: [*own, "testbed.forward", state.service_address, str(state.claim.api)])
    passed(Step.CONTROLLERS)
    account = "/api/v1/namespaces/default/serviceaccounts/default"
    waiting(home, "etcd", "kube-apiserver", "kube-controller-manager")(
        "the controllers do not work", lambda: api.find(account)
    )
    return api


def parts(state: State) -> tuple[str, ...]:
    """Name what a testbed consists of, beside its nodes."""
    return (*PARTS, VERIFIER) if state.verifier else PARTS


def start_verifier(home: Home, state: State) -> None:
    """Start AWS's token verifier, and end when it serves: its kubeconfig is what the API server begins with."""
    if processes.marked(home, VERIFIER):
        return
    processes.kill(home, "kube-apiserver")  # it never reads a second time where the verifier is
    Path(state.webhook).unlink(missing_ok=True)
    serving = ["-kubeconfig", state.webhook, "-log-reasons"]
    launch(home, VERIFIER, lambda: [str(verifier.program()), *state.verifier, *serving])
    waiting(home, VERIFIER)("the token verifier does not serve", Path(state.webhook).is_file)


def launch(home: Home, part: str, command: Callable[[], list[str]]) -> None:
    """Start one component under its own log, unless it runs."""
    if not processes.marked(home, part):
        processes.start(home, part, command(), log=home.logs / f"{part}.log")


def waiting(home: Home, *parts: str) -> Callable[[str, Callable[[], object]], object]:
    """Wait for something that the last of *parts* does, as long as all of them run; quote the first that does not."""

    def ended() -> list[str]:
        alive = {process.part for process in processes.marked(home)}
        return [part for part in parts if part not in alive]

    return lambda what, look: until(
        what, look, alive=lambda: not ended(), logs=lambda: home.logs / f"{[*ended(), parts[-1]][0]}.log"
    )


def etcd(home: Home, state: State) -> list[str]:
    """One member, which speaks to those only who hold a certificate of its own authority; nothing waits for a disk."""
    pki, client, peer = home.pki, f"https://127.0.0.1:{state.claim.etcd}", f"https://127.0.0.1:{state.claim.peer}"
    certificates = [f"{pki}/etcd.crt", f"{pki}/etcd.key", f"{pki}/etcd-ca.crt"]
    names = ["cert-file", "key-file", "trusted-ca-file"]
    return [
        str(state.binaries / "etcd"),
        f"--data-dir={home.path}/etcd",
        f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=default={peer}",
        "--client-cert-auth", "--peer-client-cert-auth",
        *(f"--{name}={file}" for name, file in zip(names, certificates, strict=True)),
        *(f"--peer-{name}={file}" for name, file in zip(names, certificates, strict=True)),
        "--unsafe-no-fsync", "--log-level=error",
    ]  # fmt: skip


def api_server(home: Home, state: State, webhook: Webhook | None) -> list[str]:
    """Listen on 127.0.0.1 only; authorize as a managed cluster does (Node, RBAC)."""
    pki = home.pki
    command = [
        str(state.binaries / "kube-apiserver"),
        f"--etcd-servers=https://127.0.0.1:{state.claim.etcd}",
        f"--etcd-cafile={pki}/etcd-ca.crt", f"--etcd-certfile={pki}/etcd.crt", f"--etcd-keyfile={pki}/etcd.key",
        "--bind-address=127.0.0.1", f"--secure-port={state.claim.api}", "--advertise-address=127.0.0.1",
        "--endpoint-reconciler-type=none", f"--service-cluster-ip-range={state.service_network}",
        f"--client-ca-file={pki}/ca.crt",
        f"--tls-cert-file={pki}/apiserver.crt", f"--tls-private-key-file={pki}/apiserver.key",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={pki}/service-account.key",
        f"--service-account-signing-key-file={pki}/service-account.key",
        "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged=true",
        f"--kubelet-client-certificate={pki}/kubelet-client.crt", f"--kubelet-client-key={pki}/kubelet-client.key",
        f"--kubelet-certificate-authority={pki}/ca.crt", "--kubelet-preferred-address-types=InternalIP",
        "--profiling=false",
    ]  # fmt: skip
    if webhook:
        command += [
            f"--authentication-token-webhook-config-file={webhook.file}",
            f"--authentication-token-webhook-cache-ttl={webhook.cache_ttl}",
            "--authentication-token-webhook-version=v1",
        ]
    return command


def controller_manager(home: Home, state: State) -> list[str]:
    """Run all controllers of a cluster, each with its own rights; serve nothing."""
    return [
        *as_user(home, state, "kube-controller-manager"),
        f"--service-account-private-key-file={home.pki}/service-account.key", f"--root-ca-file={home.pki}/ca.crt",
        "--use-service-account-credentials", f"--cluster-name={state.cluster_name}",
        f"--cluster-signing-cert-file={home.pki}/ca.crt", f"--cluster-signing-key-file={home.pki}/ca.key",
        "--kube-api-qps=200", "--kube-api-burst=300",  # at the default of 20 its own credentials take four seconds
    ]  # fmt: skip


def scheduler(home: Home, state: State) -> list[str]:
    """Run the default scheduler; serve nothing."""
    return as_user(home, state, "kube-scheduler")


def as_user(home: Home, state: State, component: str) -> list[str]:
    """Begin the command of a component that is a client of the API server and runs once."""
    path = kubeconfig.write(home, state, user=f"system:{component}", to=home.pki / f"{component}.yaml")
    names = ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")
    own = [f"--{name}={path}" for name in names]
    quiet = ["--secure-port=0", "--leader-elect=false", "--profiling=false"]
    return [str(state.binaries / component), *own, *quiet]
