"""Know STS's host names: which a token verifier accepts (aws-iam-authenticator v0.7.13), whose region each is."""

from __future__ import annotations

import re

GLOBAL = "sts.amazonaws.com"
# DNS suffixes of a partition: the plain one, then the dual-stack one (botocore's partitions.json).
PARTITIONS: dict[str, tuple[str, str]] = {
    "aws": ("amazonaws.com", "api.aws"),
    "aws-cn": ("amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    "aws-us-gov": ("amazonaws.com", "api.aws"),
    "aws-eusc": ("amazonaws.eu", "api.amazonwebservices.eu"),
    "aws-iso": ("c2s.ic.gov", "api.aws.ic.gov"),
    "aws-iso-b": ("sc2s.sgov.gov", "api.aws.scloud"),
    "aws-iso-e": ("cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
    "aws-iso-f": ("csp.hci.ic.gov", "api.aws.hci.ic.gov"),
}
PARTITION_PREFIXES = {
    "cn-": "aws-cn", "us-gov-": "aws-us-gov", "us-iso-": "aws-iso", "us-isob-": "aws-iso-b", "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f", "eusc-": "aws-eusc",
}  # fmt: skip
NO_DUAL_STACK = frozenset({"aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f"})  # in the verifier's table


def objection(host: str, partition: str) -> str:
    """Say why a token of this host is not for a cluster of this partition; empty when nothing speaks against it."""
    if host.count(".") < 2:  # noqa: PLR2004 - service, region, domain
        return f"could not parse region for pre-signed URL {host}, invalid host format: {host}"
    if host == GLOBAL:
        return "" if partition == "aws" else f"global endpoint unsupported in partition {partition}"
    region = host.split(".")[1]
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?", region):
        return f"invalid region identifier format provided: {region}"
    if not exists(host):
        return f'unexpected hostname "{host}" in pre-signed URL'
    plain, dual_stack = PARTITIONS[partition]
    known = {plain} if partition in NO_DUAL_STACK else {plain, dual_stack}
    return "" if host.split(".", 2)[2] in known else f"partition {{{partition}}} does not support hostname {host}"


def exists(host: str) -> bool:
    """Tell whether STS may have this name in some partition; any region is believed to exist, as by AWS's SDK."""
    if host == GLOBAL:
        return True
    service, _, rest = host.partition(".")
    region, _, suffix = rest.partition(".")
    partition = partition_of(region)
    if partition == "aws-us-gov" and (service, suffix) == ("sts-fips", "amazonaws.com"):
        return False  # there the plain host is the FIPS one
    return service in {"sts", "sts-fips"} and region not in {"", "aws-global"} and suffix in PARTITIONS[partition]


def partition_of(region: str) -> str:
    """Name the partition of a region."""
    return next((name for prefix, name in PARTITION_PREFIXES.items() if region.startswith(prefix)), "aws")


def region_of(host: str) -> str:
    """Name the region that an STS host serves; the global one is us-east-1."""
    return "us-east-1" if host == GLOBAL else host.partition(".")[2].partition(".")[0]
