"""Policies are judged as IAM judges them."""

from __future__ import annotations

import pytest

from multicluster.simulator.aws.policies import Ask, Policies, refused

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


NODE_ROLE = "arn:aws:iam::111122223333:role/gpu-node"


@pytest.mark.parametrize(
    ("action", "resource", "words"),
    [
        ("eks:DeleteNodegroup", POOL, f"User: me is not authorized to perform: {{}} on resource: {POOL} because"),
        ("iam:PassRole", NODE_ROLE, f"User: me is not authorized to perform: {{}} on resource: {NODE_ROLE} because"),
        ("iam:GetRole", NODE_ROLE, "User: me is not authorized to perform: {} on resource: role gpu-node because"),
        ("autoscaling:DescribeScalingActivities", "*", "User: me is not authorized to perform: {} because"),
        ("ec2:DescribeInstances", "*", "You are not authorized to perform this operation. User: me is not authorized"),
    ],
)
def test_a_refusal_is_worded_as_the_service_words_it(action, resource, words):
    error = refused("me", Ask(action=action, resource=resource))

    assert (error.code, error.status) == ("AccessDenied", 403)
    assert error.message.startswith(words.format(action))
    assert error.message.endswith(f"because no identity-based policy allows the {action} action")


def test_what_a_service_asks_on_behalf_of_its_caller_it_refuses_in_its_own_words():
    error = refused("me", Ask(action="ec2:DescribeSubnets", refusal="No subnets. {}"))

    assert (error.code, error.status) == ("InvalidRequestException", 400)
    assert error.message.startswith("No subnets. User: me is not authorized to perform: ec2:DescribeSubnets because")
