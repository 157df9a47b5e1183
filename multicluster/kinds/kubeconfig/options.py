"""What the registry says below ``auth.kubeconfig``."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from multicluster.node_pools.profile import Document


class KubeconfigOptions(Document):
    """A context of a kubeconfig that every process which resolves the cluster has.

    Exec plugins of AWS and Google are replaced in process: ``aws eks get-token`` and ``aws-iam-authenticator`` by a
    token signed here, ``gke-gcloud-auth-plugin`` by Google's application default credentials (not gcloud's own login).
    ``insecure-skip-tls-verify`` is honoured, and whoever sits in between then reads the token; with a Google token,
    which opens every cluster of its owner, it is refused.
    """

    path: Annotated[str, Field(min_length=1)] | None = None
    """The file; ``~`` is the home folder. Absent: what kubectl would read, KUBECONFIG's files or ``~/.kube/config``."""
    context: Annotated[str, Field(min_length=1)] | None = None
    use_current_context: bool = False
    """Take whatever context is current at the moment of use."""
    allow_exec: bool = False
    """Run an exec plugin that is not replaced in process: a command of the file's author, on every machine."""

    @model_validator(mode="after")
    def _says_which_context(self) -> Self:
        if self.use_current_context == (self.context is not None):
            raise ValueError("name a context, or set useCurrentContext: true, and not both")
        return self
