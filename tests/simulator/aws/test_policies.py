"""Policies are judged as IAM judges them."""

from __future__ import annotations

import pytest

from multicluster.simulator.aws.policies import Ask, Policies

POOL = "arn:aws:eks:us-east-1:111122223333:nodegroup/gpu/mc-train/1"


def allows(ask: Ask, *statements: dict) -> bool:
    policies = Policies()
    policies.attach("role", {"Statement": [{"Effect": "Allow", "Resource": "*", **one} for one in statements]})
    return policies.allow("role", ask)


def test_an_identity_without_policies_is_an_administrator():
    assert Policies().allow("user", Ask(action="eks:DeleteNodegroup", resource=POOL))


def test_what_no_policy_allows_is_denied():
    assert not allows(Ask(action="eks:DeleteNodegroup", resource=POOL))


def test_a_deny_beats_every_allow():
    ask = Ask(action="eks:DeleteNodegroup", resource=POOL)

    assert allows(ask, {"Action": "eks:*"})
    assert not allows(ask, {"Action": "eks:*"}, {"Action": "eks:Delete*", "Effect": "Deny"})


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("arn:aws:eks:us-east-1:111122223333:nodegroup/gpu/mc-*/*", True),
        ("arn:aws:eks:*:111122223333:nodegroup/gpu/*", True),
        ("arn:aws:eks:us-east-1:111122223333:nodegroup/gpu/mc-trai?/1", True),
        ("arn:aws:eks:us-east-1:111122223333:nodegroup/gpu/mc-train", False),
        ("arn:aws:eks:us-east-1:*", False),
        ("arn:*:nodegroup/gpu/mc-train/1", False),
        ("*", True),
    ],
)
def test_a_wildcard_goes_past_slashes_and_not_past_colons(pattern, fits):
    assert allows(Ask(action="eks:DeleteNodegroup", resource=POOL), {"Action": "eks:*", "Resource": pattern}) is fits


def test_actions_and_keys_are_written_in_any_case_values_in_one():
    ask = Ask(action="iam:PassRole", context={"iam:PassedToService": "eks.amazonaws.com"})

    assert allows(
        ask, {"Action": "IAM:passrole", "Condition": {"StringEquals": {"IAM:passedtoservice": "eks.amazonaws.com"}}}
    )
    assert not allows(
        ask, {"Action": "iam:PassRole", "Condition": {"StringEquals": {"iam:PassedToService": "EKS.amazonaws.com"}}}
    )


@pytest.mark.parametrize(("said", "there"), [("true", False), ("false", True)])
def test_null_asks_whether_a_key_is_there(said, there):
    ask = Ask(action="eks:CreateNodegroup", context={"aws:RequestTag/a": "b"} if there else {})

    assert allows(ask, {"Action": "eks:*", "Condition": {"Null": {"aws:RequestTag/a": said}}})


@pytest.mark.parametrize("more", [{"NotAction": "iam:*"}, {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}])
def test_a_policy_that_says_more_than_is_simulated_is_refused(more):
    with pytest.raises(ValueError, match="not simulated in a policy"):
        Policies().attach("role", {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", **more}]})
