"""The table of resources an API server here serves."""

from __future__ import annotations

from dataclasses import dataclass

_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
_META_FIELDS = ("metadata.name", "metadata.namespace")


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource: where it is served and what it is called.

    `fields` are the field selectors it answers beyond its name and namespace. `alias_of` names the plural in the core
    group whose objects it shares. `generations`: changes of its spec are counted.
    """

    plural: str
    kind: str
    group: str = ""
    version: str = "v1"
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    alias_of: str = ""
    verbs: tuple[str, ...] = _VERBS
    generations: bool = False

    @property
    def api_version(self) -> str:
        """`v1`, `batch/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def singular(self) -> str:
        """`pod`."""
        return self.kind.lower()

    @property
    def qualified(self) -> str:
        """`pods`, `jobs.batch`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def selectable(self) -> tuple[str, ...]:
        """All field selectors it answers."""
        return (*_META_FIELDS, *self.fields)


PODS = Resource(
    plural="pods",
    kind="Pod",
    generations=True,
    short_names=("po",),
    categories=("all",),
    subresources=("status", "log", "exec", "eviction", "binding"),
    fields=(
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
)
NODES = Resource(
    plural="nodes",
    kind="Node",
    namespaced=False,
    short_names=("no",),
    subresources=("status",),
    fields=("spec.unschedulable",),
)
NAMESPACES = Resource(
    plural="namespaces",
    kind="Namespace",
    namespaced=False,
    short_names=("ns",),
    subresources=("status",),
    fields=("status.phase",),
    verbs=tuple(verb for verb in _VERBS if verb != "deletecollection"),
)
EVENTS = Resource(
    plural="events",
    kind="Event",
    short_names=("ev",),
    fields=(
        *(f"involvedObject.{field}" for field in ("kind", "namespace", "name", "uid", "apiVersion", "fieldPath")),
        "involvedObject.resourceVersion",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
)
NEW_EVENTS = Resource(
    plural="events",
    kind="Event",
    group="events.k8s.io",
    short_names=("ev",),
    fields=(
        *(f"regarding.{field}" for field in ("kind", "namespace", "name", "uid", "apiVersion", "fieldPath")),
        "reason",
        "reportingController",
        "type",
    ),
    alias_of="events",
)
CONFIG_MAPS = Resource(plural="configmaps", kind="ConfigMap", short_names=("cm",))
SECRETS = Resource(plural="secrets", kind="Secret", fields=("type",))
SERVICE_ACCOUNTS = Resource(plural="serviceaccounts", kind="ServiceAccount", short_names=("sa",))
SERVICES = Resource(
    plural="services", kind="Service", short_names=("svc",), categories=("all",), subresources=("status",)
)
RESOURCE_QUOTAS = Resource(
    plural="resourcequotas", kind="ResourceQuota", short_names=("quota",), subresources=("status",)
)
CLAIMS = Resource(
    plural="persistentvolumeclaims", kind="PersistentVolumeClaim", short_names=("pvc",), subresources=("status",)
)
PRIORITY_CLASSES = Resource(
    plural="priorityclasses", kind="PriorityClass", group="scheduling.k8s.io", namespaced=False, short_names=("pc",)
)
LEASES = Resource(plural="leases", kind="Lease", group="coordination.k8s.io")
DAEMON_SETS = Resource(
    plural="daemonsets",
    kind="DaemonSet",
    group="apps",
    short_names=("ds",),
    generations=True,
    categories=("all",),
    subresources=("status",),
)
JOBS = Resource(
    plural="jobs",
    kind="Job",
    group="batch",
    categories=("all",),
    subresources=("status",),
    fields=("status.successful",),
    generations=True,
)
_RBAC = "rbac.authorization.k8s.io"
ROLES = Resource(plural="roles", kind="Role", group=_RBAC)
ROLE_BINDINGS = Resource(plural="rolebindings", kind="RoleBinding", group=_RBAC)
CLUSTER_ROLES = Resource(plural="clusterroles", kind="ClusterRole", group=_RBAC, namespaced=False)
CLUSTER_ROLE_BINDINGS = Resource(plural="clusterrolebindings", kind="ClusterRoleBinding", group=_RBAC, namespaced=False)

RESOURCES = (
    CONFIG_MAPS,
    EVENTS,
    NAMESPACES,
    NODES,
    CLAIMS,
    PODS,
    RESOURCE_QUOTAS,
    SECRETS,
    SERVICE_ACCOUNTS,
    SERVICES,
    DAEMON_SETS,
    JOBS,
    LEASES,
    NEW_EVENTS,
    PRIORITY_CLASSES,
    ROLES,
    ROLE_BINDINGS,
    CLUSTER_ROLES,
    CLUSTER_ROLE_BINDINGS,
)
_BY_ADDRESS = {(resource.group, resource.version, resource.plural): resource for resource in RESOURCES}
_STORED = {resource.plural: resource for resource in RESOURCES if not resource.alias_of}


def resource_at(group: str, version: str, plural: str) -> Resource | None:
    """Return the resource served at an address of the API."""
    return _BY_ADDRESS.get((group, version, plural))


def resource_named(plural: str) -> Resource:
    """Return a resource by its plural. Raises KeyError."""
    return _STORED[plural]


def stored(resource: Resource) -> Resource:
    """Return the resource under which objects are kept: itself, but the core group's for an alias."""
    return _STORED[resource.alias_of] if resource.alias_of else resource


def kinds() -> set[str]:
    """Return the kinds of all resources."""
    return {resource.kind for resource in RESOURCES}


def groups() -> tuple[str, ...]:
    """Return the names of the API groups, the core group apart."""
    return tuple(sorted({resource.group for resource in RESOURCES if resource.group}))
