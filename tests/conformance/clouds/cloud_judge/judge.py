"""Judge one exchange by the models its cloud publishes."""

from __future__ import annotations

from cloud_judge import aws, google
from cloud_judge.exchange import Exchange
from cloud_judge.known import is_known


def judge(exchange: Exchange) -> list[str]:
    """Say what is wrong with a request and its answer; nothing, when both are as the model says.

    Findings read ``eks:CreateNodegroup: request...``, ``...: answer...`` or ``...: error...``.
    """
    court = aws if exchange.cloud == "aws" else google
    name, findings = court.judge(exchange)
    told = [f"{name}: {finding}" for finding in findings]
    return [finding for finding in told if not is_known(finding)]


def operation_name(exchange: Exchange) -> str:
    """Name the operation of an exchange: ``eks:CreateNodegroup``, ``container:nodePools.create``."""
    court = aws if exchange.cloud == "aws" else google
    return court.judge(exchange)[0]
