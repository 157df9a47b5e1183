"""What Airflow is told about this provider, in the format of its provider_info.schema.json.

Imports the standard library only: Airflow reads it in every process at start.
"""

from __future__ import annotations

from typing import Any

_INTEGRATION = "Multicluster"

_CONNECTION: dict[str, Any] = {
    "connection-type": "multicluster",
    "hook-class-name": "airflow_multicluster.hooks.cluster.ClusterHook",
    "hook-name": "Multicluster registry",
    "conn-fields": {
        "registry": {
            "label": "Registry document",
            "description": "The registry's YAML (apiVersion, kind, clusters). It may hold no secret.",
            "schema": {"type": ["string", "null"], "format": "multiline"},
        },
        "path": {
            "label": "Registry path",
            "description": "Instead of the document: a file or folder that every worker and triggerer can read.",
            "schema": {"type": ["string", "null"]},
        },
    },
    "ui-field-behaviour": {
        "hidden-fields": ["host", "schema", "login", "password", "port"],
        "relabeling": {},
        "placeholders": {"extra": '{"registry": "apiVersion: multicluster/v1alpha1\\nkind: ClusterRegistry\\n..."}'},
    },
}


def _option(description: str, *, default: str = "", example: str | None = None) -> dict[str, Any]:
    return {
        "description": description,
        "version_added": "0.1.0",
        "type": "string",
        "example": example,
        "default": default,
    }


_CONFIG: dict[str, Any] = {
    "multicluster": {
        "description": "Where the cluster registry is, and what this deployment is called.",
        "options": {
            "registry": _option(
                "Files or folders that hold the cluster registry, separated like PATH. They are read beside\n"
                "those in the environment variable MULTICLUSTER_REGISTRY.\n",
                example="/opt/airflow/clusters.yaml",
            ),
            "connections": _option(
                "Ids of connections of type multicluster that hold registry documents, separated by commas.\n"
                "multicluster_default is read as well where it exists.\n",
                example="clusters_emea,clusters_us",
            ),
            "deployment": _option(
                "Name of this Airflow deployment. It goes into the owner of each node pool; give each deployment\n"
                "its own, the same on all workers. Default: [api] base_url, unless only this machine or\n"
                "its network knows it. Without a name no node pool is made.\n",
                example="prod-eu",
            ),
            "reaper_dag": _option(
                "Id of the reaper's DAG (see docs/reaper.md), which is run at once when a run times out.\n",
                default="multicluster_reaper",
            ),
        },
    },
}


def get_provider_info() -> dict[str, Any]:
    """Return the provider's metadata; ``package-name`` equals the distribution's name, or Airflow refuses it."""
    return {
        "package-name": "airflow-multicluster",
        "name": "Multicluster",
        "description": "Pods on many EKS, GKE and other Kubernetes clusters by name, and GPU node pools around them.",
        "integrations": [
            {"integration-name": _INTEGRATION, "external-doc-url": "https://kubernetes.io/", "tags": ["service"]}
        ],
        "hooks": [{"integration-name": _INTEGRATION, "python-modules": ["airflow_multicluster.hooks.cluster"]}],
        "operators": [
            {
                "integration-name": _INTEGRATION,
                "python-modules": [
                    "airflow_multicluster.operators.pod",
                    "airflow_multicluster.operators.job",
                    "airflow_multicluster.operators.node_pool",
                    "airflow_multicluster.operators.reaper",
                ],
            }
        ],
        "sensors": [{"integration-name": _INTEGRATION, "python-modules": ["airflow_multicluster.sensors.node_pool"]}],
        "triggers": [
            {
                "integration-name": _INTEGRATION,
                "python-modules": [
                    "airflow_multicluster.triggers.pod",
                    "airflow_multicluster.triggers.job",
                    "airflow_multicluster.triggers.node_pool",
                    "airflow_multicluster.triggers.ask_again",
                ],
            }
        ],
        "task-decorators": [
            {"name": name, "class-name": f"airflow_multicluster.decorators.{name}.{name}_task"}
            for name in ("cluster_pod", "cluster_pod_cmd")
        ],
        "extra-links": ["airflow_multicluster.links.NodePoolConsoleLink"],
        "connection-types": [_CONNECTION],
        "config": _CONFIG,
    }
