"""STS's host names as v0.7.13 of AWS's own verifier was seen to judge them."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest

from multicluster.simulator.aws.sts_hosts import PARTITIONS, exists, objection, region_of


@pytest.mark.parametrize(
    ("partition", "host"),
    [
        ("aws", "sts.amazonaws.com"),
        ("aws", "sts-fips.us-east-1.api.aws"),
        ("aws", "sts.us-gov-west-1.amazonaws.com"),
        ("aws-cn", "sts.cn-north-1.amazonaws.com.cn"),
        ("aws-cn", "sts.cn-north-1.api.amazonwebservices.com.cn"),
        ("aws-us-gov", "sts.us-gov-west-1.amazonaws.com"),
        ("aws-us-gov", "sts-fips.us-gov-east-1.api.aws"),
        ("aws-us-gov", "sts.eu-west-1.amazonaws.com"),
        ("aws-eusc", "sts.eusc-de-east-1.api.amazonwebservices.eu"),
        ("aws-iso", "sts.us-iso-west-1.c2s.ic.gov"),
        ("aws-iso-b", "sts-fips.us-isob-east-1.sc2s.sgov.gov"),
        ("aws-iso-e", "sts.eu-isoe-west-1.cloud.adc-e.uk"),
        ("aws-iso-f", "sts.us-isof-south-1.csp.hci.ic.gov"),
    ],
)
def test_hosts_that_the_verifier_accepts_are_accepted(partition, host):
    assert objection(host, partition) == ""


@pytest.mark.parametrize(
    ("partition", "host", "reason"),
    [
        ("aws-us-gov", "sts.amazonaws.com", "global endpoint unsupported in partition aws-us-gov"),
        ("aws", "sts-fips.amazonaws.com", "unexpected hostname"),
        ("aws", "sts.us-east-1.amazonaws.com.", "unexpected hostname"),
        ("aws", "sts.aws-global.amazonaws.com", "unexpected hostname"),
        ("aws", "sts.us-east-1.amazonaws.com.evil.com", "unexpected hostname"),
        ("aws", "STS.us-east-1.amazonaws.com", "unexpected hostname"),
        ("aws", "sts..amazonaws.com", "invalid region identifier format provided: "),
        ("aws", "sts.us_east.amazonaws.com", "invalid region identifier format provided: us_east"),
        ("aws", "a.b", "could not parse region for pre-signed URL a.b, invalid host format: a.b"),
        ("aws", "sts.cn-north-1.amazonaws.com", "unexpected hostname"),
        ("aws-cn", "sts.eu-west-1.amazonaws.com", "partition {aws-cn} does not support hostname"),
        ("aws-us-gov", "sts-fips.us-gov-west-1.amazonaws.com", "unexpected hostname"),
        ("aws-iso", "sts.us-iso-east-1.api.aws.ic.gov", "partition {aws-iso} does not support hostname"),
    ],
)
def test_hosts_that_the_verifier_refuses_are_refused_in_its_words(partition, host, reason):
    assert objection(host, partition).startswith(reason)


def test_the_partitions_are_those_of_botocore():
    known = json.loads((files("botocore") / "data" / "partitions.json").read_text())["partitions"]

    expected = {p["id"]: (p["outputs"]["dnsSuffix"], p["outputs"]["dualStackDnsSuffix"]) for p in known}
    assert expected == PARTITIONS


@pytest.mark.parametrize(
    ("host", "region"), [("sts.amazonaws.com", "us-east-1"), ("sts.eu-west-1.api.aws", "eu-west-1"), ("localhost", "")]
)
def test_a_host_serves_one_region(host, region):
    assert region_of(host) == region


def test_a_name_of_another_service_is_not_played():
    assert not exists("eks.us-east-1.amazonaws.com")
