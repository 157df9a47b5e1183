"""Know where the clouds depart from what they publish, and where that was seen. This file may only shrink."""

from __future__ import annotations

import re

ERRORS_BESIDE_THE_MODEL: dict[tuple[str, str], str] = {
    ("CreateNodegroup", "ResourceNotFoundException"): "No cluster found for name: terraform-aws-eks issue 793",
}
"""Errors of an operation that its model does not name."""
FINDINGS: dict[re.Pattern[str], str] = {
    re.compile(
        r"autoscaling:DescribeScalingActivities: .*StatusMessage: .* is more than XmlStringMaxLen255 .*", re.DOTALL
    ): ("a lack of capacity is told in more than 300 characters: kubernetes/autoscaler issue 1402"),
}


def is_known(finding: str) -> bool:
    """Tell whether a finding is the cloud's own."""
    return any(pattern.fullmatch(finding) for pattern in FINDINGS)
