"""Every error that leaves this package, on one page.

::

    MulticlusterError                     transient = False unless said otherwise
    ├── MissingExtraError                 a cloud's SDK is not installed; prints the pip line
    ├── RegistryError
    │   ├── RegistryDocumentError         a document cannot be read, or says something wrong
    │   ├── UnknownClusterError           no cluster of that name
    │   ├── UnknownProfileError           the cluster has no node-pool profile of that name
    │   └── ClusterCordonedError          an operator took the cluster out of use
    ├── AccessError
    │   ├── CredentialError               refused, or unable to make a token, with who and why
    │   │   └── CredentialUnavailableError    transient: whoever gives out credentials did not answer
    │   ├── ClusterIdentityError          the API server is not the one that the registry pins
    │   └── ClusterUnreachableError       transient: no answer in time
    └── NodePoolError
        ├── NodePoolNotFoundError         gone, or never there; good news for whoever deletes
        ├── NodePoolConflictError         the pool belongs to somebody else
        ├── NodePoolLimitError            the registry's or the cloud's limit is reached
        ├── NodePoolRefusedError          the cloud refuses the request, and will again
        ├── NodePoolFailedError           the pool ended in a failed state, with the cloud's words
        ├── NodePoolBusyError             transient: another operation holds the cluster or the pool
        ├── NodePoolsUnsupportedError     this kind of cluster has no node pools
        └── CloudUnavailableError         transient: throttled, 5xx, or no answer

Callers branch on the class or on ``transient``, never on the text. Every error pickles.
"""

from __future__ import annotations

from typing import ClassVar


class MulticlusterError(Exception):
    """Base of all errors of this package; its text says what, which one, and the next step."""

    transient: ClassVar[bool] = False
    """Whether the same call may succeed later without anybody changing anything."""


class MissingExtraError(MulticlusterError):
    """A library of an optional extra is not installed."""


class RegistryError(MulticlusterError):
    """Base of what can be wrong with a registry or a name in it."""


class RegistryDocumentError(RegistryError):
    """A registry source cannot be found, read, or accepted."""


class UnknownClusterError(RegistryError):
    """No cluster of that name in the sources that were read."""


class UnknownProfileError(RegistryError):
    """The cluster has no node-pool profile of that name."""


class ClusterCordonedError(RegistryError):
    """The cluster is cordoned in the registry; nothing new may start on it."""


class AccessError(MulticlusterError):
    """Base of what can go wrong between a name and an answering API server."""


class CredentialError(AccessError):
    """A token cannot be made, or the API server refused a fresh one."""


class CredentialUnavailableError(CredentialError):
    """Whoever gives out credentials (STS, Google, a metadata server) throttled, failed, or did not answer."""

    transient: ClassVar[bool] = True


class ClusterIdentityError(AccessError):
    """The API server is not the one that the registry pins."""


class ClusterUnreachableError(AccessError):
    """The API server did not answer in time, or its name or port leads nowhere."""

    transient: ClassVar[bool] = True


class NodePoolError(MulticlusterError):
    """Base of what can go wrong with a node pool."""


class NodePoolNotFoundError(NodePoolError):
    """The cloud knows no pool of that name (any more)."""


class NodePoolConflictError(NodePoolError):
    """A pool of that name exists and belongs to another owner, or to nobody we know."""


class NodePoolLimitError(NodePoolError):
    """The registry's limits or the cloud's quota allow no such pool now."""


class NodePoolRefusedError(NodePoolError):
    """The cloud refuses the request as it stands: rights, or an invalid parameter."""


class NodePoolFailedError(NodePoolError):
    """The pool cannot become, or can no longer be, what was asked for."""


class NodePoolBusyError(NodePoolError):
    """Another operation holds the cluster or the pool; ask again."""

    transient: ClassVar[bool] = True


class NodePoolsUnsupportedError(NodePoolError):
    """This kind of cluster has no node pools that could be created."""


class CloudUnavailableError(NodePoolError):
    """The cloud's API throttled, failed on its side, or did not answer."""

    transient: ClassVar[bool] = True
