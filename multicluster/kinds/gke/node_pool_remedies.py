"""Say what a person does about a node pool that ended in ERROR: by the code of its condition."""

from __future__ import annotations

AGAIN = "then delete the pool again"

REMEDIES: dict[str, str] = {
    "GCE_STOCKOUT": "choose another zone or machine type in the profile, or capacityType flex-start",
    "GCE_QUOTA_EXCEEDED": "raise the quota that it names, or choose another machine type or region",
    "NODE_SERVICE_ACCOUNT_MISSING_PERMISSIONS": "give the nodes' service account "
    "roles/container.defaultNodeServiceAccount",
    "GKE_SERVICE_ACCOUNT_DELETED": "restore GKE's own service account (disable and enable the Kubernetes Engine API), "
    f"{AGAIN}",
    "CLOUD_KMS_KEY_ERROR": "let the account that it names use the key (roles/cloudkms.cryptoKeyEncrypterDecrypter), or "
    "mend the key",
    "CLOUD_KMS_KEY_DESTROYED": "the key is gone for ever; name another one",
}


def remedy(code: str) -> str:
    """Return the next step for a person, as the end of a sentence; empty for a code nobody has met."""
    return REMEDIES.get(code, "")
