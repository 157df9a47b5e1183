"""Turn a kind's options into access to a cluster."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from pydantic import BaseModel

from multicluster.access.kind import ClusterContext, KindDefinition
from multicluster.errors import MissingExtraError, RegistryDocumentError

if TYPE_CHECKING:
    from multicluster.access.kind import ClusterAccess


def make_access(kind: KindDefinition, options: BaseModel, context: ClusterContext) -> ClusterAccess:
    """Import what the kind names and call it. Raises MissingExtraError where its SDK is not installed."""
    module, _, attribute = kind.access.partition(":")
    try:
        make = getattr(importlib.import_module(module), attribute)
        access: ClusterAccess = make(options, context)
    except ModuleNotFoundError as error:
        if kind.extra is None:
            raise
        raise MissingExtraError(
            f"cluster {context.name!r} is of kind {kind.name}, which needs {error.name}, which is not installed: "
            f"pip install 'airflow-multicluster[{kind.extra}]'"
        ) from error
    except AttributeError as error:
        raise RegistryDocumentError(f"the kind {kind.name!r} names {kind.access}, which does not exist") from error
    return access
