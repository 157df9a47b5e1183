"""What the registry says below ``auth.gke``."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from multicluster.node_pools.profile import Document

ServiceAccount = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]


class GoogleCredentials(Document):
    """Where credentials come from. Without file and connection: Google's application default credentials."""

    service_account_file: str | None = None
    """Path of a service account's key on the machine that resolves the cluster; ``~`` is the home folder."""
    connection: str | None = None
    """An Airflow connection of type ``google_cloud_platform``."""
    impersonate: tuple[ServiceAccount, ...] = ()
    """Service accounts to act as, one by way of the other; the last one is who the cluster sees."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.service_account_file and self.connection:
            raise ValueError("serviceAccountFile and connection exclude each other")
        return self


class GkeOptions(Document):
    """A GKE cluster and the one of its endpoints to use.

    The endpoint is never tried out: what the cluster's own flags rule out is refused before a request is made.
    """

    project_id: Annotated[str, Field(min_length=1, pattern=r"^[a-z0-9.:-]+$")]
    location: Annotated[str, Field(pattern=r"^[a-z]+-[a-z]+\d+(-[a-z])?$")]
    """A region or a zone."""
    cluster_name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    endpoint: Literal["dns", "public", "private"] = "public"
    """``public``: the IP that gcloud takes unless told otherwise. ``private``: the IP inside the VPC. ``dns``: a host
    name under gke.goog, reachable from everywhere with IAM's leave, trusted by public CAs."""
    credentials: GoogleCredentials = GoogleCredentials()
