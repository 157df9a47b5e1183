from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def group() -> dict[str, Any]:
    return {
        "clusterName": "gpu",
        "nodegroupName": "train",
        "subnets": ["subnet-a", "subnet-b"],
        "nodeRole": "arn:aws:iam::111122223333:role/gpu-node",
        "instanceTypes": ["g6.xlarge"],
        "amiType": "AL2023_x86_64_NVIDIA",
        "scalingConfig": {"minSize": 0, "maxSize": 2, "desiredSize": 2},
    }
