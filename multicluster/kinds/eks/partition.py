"""Find the STS host whose URLs EKS accepts as tokens."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from botocore.loaders import Loader

from multicluster.errors import CredentialError


def sts_host(region: str) -> str:
    """Return the canonical regional STS host, such as ``sts.cn-north-1.amazonaws.com.cn``.

    Environment, config files and endpoint overrides have no say: the API server's verifier knows the canonical hosts
    only (aws-iam-authenticator, pkg/token).
    """
    return regional_host("sts", region)


def regional_host(service: str, region: str) -> str:
    """Return a service's host in *region*'s partition, from botocore's own data. Raises CredentialError."""
    for partition in _partitions():
        if region in partition["regions"] or re.match(partition["regionRegex"], region):
            return f"{service}.{region}.{partition['outputs']['dnsSuffix']}"
    raise CredentialError(f"no AWS partition known to this botocore has a region {region!r}; correct it, or upgrade")


@cache
def _partitions() -> list[dict[str, Any]]:
    # A loader of our own, so that AWS_DATA_PATH cannot change the answer.
    loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    partitions: list[dict[str, Any]] = loader.load_data("partitions")["partitions"]
    return partitions
