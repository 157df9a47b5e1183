"""The names and types of the fields of Kubernetes' types, as the Kubernetes client has them from OpenAPI.

Made anew, when the served resources or the client change, by
`python -m multicluster.simulator.kubernetes.field_types > multicluster/simulator/kubernetes/field_types.json`.
It is a file because loading the client's models costs a world 45 MB and half a second.
"""

from __future__ import annotations

import json
import re
import sys
from functools import cache
from pathlib import Path

from multicluster.simulator.kubernetes.resources import RESOURCES, Resource

FieldTypes = dict[str, dict[str, str]]
_MODELS = {("", "Event"): "CoreV1Event", ("events.k8s.io", "Event"): "EventsV1Event"}
_FILE = Path(__file__).with_suffix(".json")


def model_of(resource: Resource) -> str:
    """Return the client's name for the type of a resource."""
    return _MODELS.get((resource.group, resource.kind), f"V1{resource.kind}")


@cache
def field_types() -> FieldTypes:
    """Return, for each type, the types of its fields by their names in JSON."""
    read: FieldTypes = json.loads(_FILE.read_bytes())
    return read


def of_the_client() -> FieldTypes:
    """Read the table off the installed client: the served resources, and all that they hold."""
    from kubernetes.client import models

    found: FieldTypes = {}
    waiting = [model_of(resource) for resource in RESOURCES]
    while waiting:
        name = waiting.pop()
        model = getattr(models, name, None)
        if model is None or name in found:
            continue
        found[name] = {json_name: model.openapi_types[field] for field, json_name in model.attribute_map.items()}
        waiting += [word for kind in found[name].values() for word in re.findall(r"\w+", kind) if word[0].isupper()]
    return dict(sorted(found.items()))


if __name__ == "__main__":
    json.dump(of_the_client(), sys.stdout, indent=1)
    sys.stdout.write("\n")
