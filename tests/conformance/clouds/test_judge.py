"""The judge of the clouds finds nothing in true exchanges, and everything that is broken in them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from cloud_judge.exchange import Exchange
from cloud_judge.judge import judge, operation_name

Exchanges = dict[str, list[Exchange]]
Break = Callable[[Exchange], Exchange]
OPERATIONS = {
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeScalingActivities",
    "compute:instanceGroupManagers.listErrors",
    "compute:instances.aggregatedList",
    "container:clusters.nodePools.create",
    "container:clusters.nodePools.delete",
    "container:clusters.nodePools.get",
    "container:clusters.nodePools.list",
    "container:clusters.nodePools.setSize",
    "container:clusters.get",
    "ec2:DescribeInstances",
    "eks:CreateNodegroup",
    "eks:DeleteNodegroup",
    "eks:DescribeNodegroup",
    "eks:ListNodegroups",
    "scheduler:CreateSchedule",
    "scheduler:GetSchedule",
    "sts:GetCallerIdentity",
}


def document(change: Callable[[Any], object], part: str) -> Break:
    """Break one side of an exchange by a change of its JSON."""

    def broken(exchange: Exchange) -> Exchange:
        body = json.loads(getattr(exchange, part))
        change(body)
        return replace(exchange, **{part: json.dumps(body).encode()})

    return broken


def answer(change: Callable[[Any], object]) -> Break:
    return document(change, "answer")


def body(change: Callable[[Any], object]) -> Break:
    return document(change, "body")


def text(old: bytes, new: bytes) -> Break:
    """Break an answer in XML."""

    def broken(exchange: Exchange) -> Exchange:
        assert old in exchange.answer
        return replace(exchange, answer=exchange.answer.replace(old, new, 1))

    return broken


def refusal(code: str, status: int, **members: str) -> Break:
    """Answer as a REST service of AWS refuses."""
    headers = {"x-amzn-errortype": code, "content-type": "application/json"}
    told = json.dumps({"message": "no", **members}).encode()
    return lambda exchange: replace(exchange, status=status, answer_headers=headers, answer=told)


def google_refusal(http: int, **error: object) -> Break:
    return lambda exchange: replace(exchange, status=http, answer=json.dumps({"error": error}).encode())


def query(name: str, value: str) -> Break:
    return lambda exchange: replace(exchange, query=f"{name}={quote(value)}")


def form(addition: str) -> Break:
    return lambda exchange: replace(exchange, body=exchange.body + f"&{addition}".encode())


CREATE, DESCRIBE, LIST = "eks:CreateNodegroup", "eks:DescribeNodegroup", "eks:ListNodegroups"
GROUPS, MACHINES = "autoscaling:DescribeAutoScalingGroups", "ec2:DescribeInstances"
POOL, MAKE, INSTANCES = (
    "container:clusters.nodePools.get",
    "container:clusters.nodePools.create",
    "compute:instances.aggregatedList",
)
BREAKS: list[tuple[str, Break, str]] = [
    # requests of REST services
    (CREATE, body(lambda b: b.update(colour="red")), "request: the body's colour is no parameter"),
    (CREATE, body(lambda b: b.pop("nodeRole")), 'Missing required parameter in input: "nodeRole"'),
    (CREATE, body(lambda b: b.update(diskSize="100")), "Invalid type for parameter diskSize"),
    (CREATE, body(lambda b: b["scalingConfig"].update(minSize=-1)), "scalingConfig.minSize, value: -1"),
    (CREATE, body(lambda b: b["scalingConfig"].update(speed=1)), 'Unknown parameter in scalingConfig: "speed"'),
    (CREATE, body(lambda b: b.update(capacityType="FREE")), "request.capacityType: 'FREE' is none of CapacityTypes"),
    (CREATE, body(lambda b: b["tags"].update({"k" * 129: ""})), "is more than TagKey allows: 128"),
    (CREATE, lambda e: replace(e, body=b"[]"), "request: the body is no JSON object"),
    (CREATE, lambda e: replace(e, path="/clusters/gpu/node-pools"), "no operation for POST /clusters/gpu/node-pools"),
    (LIST, query("colour", "red"), "request: the query's colour is no parameter"),
    (LIST, query("maxResults", "many"), "Invalid type for parameter maxResults"),
    # answers of REST services
    (DESCRIBE, answer(lambda b: b["nodegroup"].update(colour="red")), "answer.nodegroup.colour: Nodegroup has no such"),
    (DESCRIBE, answer(lambda b: b["nodegroup"].update(status="ASLEEP")), "'ASLEEP' is none of NodegroupStatus"),
    (DESCRIBE, answer(lambda b: b["nodegroup"].update(createdAt="today")), "createdAt: 'today' is no timestamp"),
    (DESCRIBE, answer(lambda b: b["nodegroup"].update(diskSize="100")), "diskSize: '100' is no integer"),
    (DESCRIBE, answer(lambda b: b["nodegroup"].update(diskSize=True)), "diskSize: True is no integer"),
    (DESCRIBE, answer(lambda b: b["nodegroup"].update(subnets="subnet-a")), "subnets: 'subnet-a' is no list"),
    (DESCRIBE, answer(lambda b: b["nodegroup"]["tags"].update(team=1)), "tags.team: 1 is no string"),
    (DESCRIBE, lambda e: replace(e, answer_headers={}), "answer: the header x-amzn-requestid is missing"),
    (DESCRIBE, lambda e: replace(e, status=202), "answer: HTTP 202, not 200"),
    (DESCRIBE, lambda e: replace(e, answer=b"<html/>"), "answer: the body is no JSON object"),
    # refusals of REST services
    (DESCRIBE, refusal("ResourceNotFoundException", 400), "ResourceNotFoundException: HTTP 400, not 404"),
    (DESCRIBE, refusal("TeapotException", 418), "TeapotException: DescribeNodegroup has no such error"),
    (DESCRIBE, refusal("ResourceInUseException", 409), "ResourceInUseException: DescribeNodegroup has no such error"),
    (DESCRIBE, refusal("ResourceNotFoundException", 404, colour="red"), "colour: ResourceNotFoundException has no"),
    (DESCRIBE, refusal("ResourceNotFoundException", 404, message=""), "ResourceNotFoundException: no message"),
    (DESCRIBE, refusal("ThrottlingException", 400), "ThrottlingException: HTTP 400, not 429"),
    # the query protocols
    (GROUPS, form("Colour=red"), "request: Colour is no parameter of DescribeAutoScalingGroups"),
    (GROUPS, form("Filters.member.9.Name=x"), "request: Filters.member.9.Name is no parameter"),
    (GROUPS, form("MaxRecords=many"), "Invalid type for parameter MaxRecords"),
    (GROUPS, form("Version=2009-01-01"), "Version is '2009-01-01', not 2011-01-01"),
    (GROUPS, text(b"<MinSize>", b"<Colour>red</Colour><MinSize>"), "AutoScalingGroup has no such member"),
    (GROUPS, text(b"<MinSize>0<", b"<MinSize>none<"), "MinSize: 'none' is no integer"),
    (GROUPS, text(b"<MinSize>0</MinSize>", b""), "MinSize: is required"),
    (GROUPS, text(b"<LifecycleState>InService<", b"<LifecycleState>Asleep<"), "'Asleep' is none of LifecycleState"),
    (GROUPS, text(b"<CreatedTime>2", b"<CreatedTime>AD 2"), "is no timestamp"),
    (GROUPS, text(b"<PropagateAtLaunch>true<", b"<PropagateAtLaunch>True<"), "'True' is no boolean"),
    (GROUPS, text(b"<member><ResourceId>", b"<item></item><member><ResourceId>"), "not member"),
    (GROUPS, text(b"<RequestId>", b"<Colour>"), "no XML"),
    (GROUPS, text(b"http://autoscaling", b"http://elsewhere"), "the root is DescribeAutoScalingGroupsResponse of"),
    (MACHINES, form("InstanceIds.1=i-1"), "request: InstanceIds.1 is no parameter"),
    (MACHINES, text(b"<instanceId>", b"<colour>red</colour><instanceId>"), "Instance has no such member"),
    (MACHINES, text(b"<name>running<", b"<name>asleep<"), "'asleep' is none of InstanceStateName"),
    (MACHINES, text(b"<item><reservationId>", b"<member/><item><reservationId>"), "is member, not item"),
    ("sts:GetCallerIdentity", text(b"<Arn>", b"<ARN>a</ARN><Arn>"), ".ARN: GetCallerIdentityResponse has no such"),
    ("sts:GetCallerIdentity", lambda e: replace(e, status=429, answer=e.answer), "GetCallerIdentity has no such error"),
    # Google
    (MAKE, body(lambda b: b["nodePool"].update(colour="red")), "body.nodePool.colour: NodePool has no such property"),
    (MAKE, body(lambda b: b["nodePool"].update(initialNodeCount="1")), "initialNodeCount: '1' is no integer"),
    (MAKE, body(lambda b: b["nodePool"].update(status="RUNNING")), "body.nodePool.status: is for answers only"),
    (MAKE, body(lambda b: b["nodePool"]["config"].update(maxRunDuration="6h")), "is not written as 'google-duration'"),
    (MAKE, body(lambda b: b["nodePool"]["config"]["accelerators"][0].update(acceleratorCount=1)), "1 is no string"),
    (MAKE, body(lambda b: b["nodePool"]["config"]["taints"].append({"effect": "Soft"})), "'Soft' is none of"),
    (MAKE, query("colour", "red"), "request: the query's colour is no parameter"),
    (MAKE, lambda e: replace(e, path=e.path + "s"), "no discovery document has such a method"),
    (MAKE, lambda e: replace(e, method="PUT"), "no discovery document has such a method"),
    (MAKE, answer(lambda b: b.update(operationType="DANCE")), "operationType: 'DANCE' is none of"),
    (MAKE, answer(lambda b: b.update(startTime="today")), "startTime: 'today' is not written as"),
    (POOL, answer(lambda b: b.update(colour="red")), "answer.colour: NodePool has no such property"),
    (POOL, answer(lambda b: b["config"]["accelerators"][0].update(acceleratorCount="one")), "not written as 'int64'"),
    (POOL, answer(lambda b: b["config"].update(diskSizeGb=2**31)), "is not between"),
    (POOL, answer(lambda b: b.update(status=None)), "answer.status: None is no string"),
    (POOL, lambda e: replace(e, answer_headers={"content-type": "text/html"}), "answer: Content-Type is text/html"),
    (POOL, google_refusal(404, code=400, message="no", status="NOT_FOUND"), "code is 400, HTTP says 404"),
    (POOL, google_refusal(404, code=404, message="no", status="INTERNAL"), "'INTERNAL' does not belong to HTTP 404"),
    (POOL, google_refusal(404, code=404, status="NOT_FOUND"), "error: no message"),
    (POOL, google_refusal(404, code=404, message="no", status="NOT_FOUND", colour="red"), "error: colour is unknown"),
    (INSTANCES, google_refusal(404, code=404, message="no", status="NOT_FOUND"), "Compute names reason and domain"),
    (INSTANCES, query("maxResults", "-1"), "is not between"),
    (INSTANCES, answer(lambda b: first_instance(b).update(zone="eu-west4-a")), "zone: 'eu-west4-a' is not written"),
    (INSTANCES, answer(lambda b: first_instance(b).update(status="ASLEEP")), "'ASLEEP' is none of"),
]  # fmt: skip


def first_instance(listed: Any) -> Any:
    return next(scope["instances"][0] for scope in listed["items"].values() if scope.get("instances"))


def holding(exchanges: list[Exchange]) -> Iterator[Exchange]:
    """Give the exchanges that say most, first."""
    return iter(sorted((one for one in exchanges if one.status == 200), key=lambda one: -len(one.answer)))


def test_a_pools_life_is_beyond_reproach_on_both_clouds(exchanges: Exchanges) -> None:
    assert [finding for group in exchanges.values() for one in group for finding in judge(one)] == []


def test_every_operation_that_node_pools_need_is_judged(exchanges: Exchanges) -> None:
    assert set(exchanges) == OPERATIONS


@pytest.mark.parametrize(
    ("operation", "damage", "expected"), BREAKS, ids=[f"{case[0].split(':')[1]}-{case[2]}" for case in BREAKS]
)
def test_what_is_broken_is_found(exchanges: Exchanges, operation: str, damage: Break, expected: str) -> None:
    sound = next(holding(exchanges[operation]))

    findings = judge(damage(sound))

    assert [finding for finding in findings if expected in finding], findings


def test_an_answer_that_was_cut_off_is_not_judged(exchanges: Exchanges) -> None:
    cut = replace(exchanges[DESCRIBE][0], status=None, answer=b"", answer_headers={})

    assert judge(cut) == []


def test_the_clouds_own_departures_are_let_pass(exchanges: Exchanges) -> None:
    unknown = refusal("ResourceNotFoundException", 404)(exchanges[CREATE][0])
    told = exchanges["autoscaling:DescribeScalingActivities"][0]
    long = replace(
        told,
        answer=told.answer.replace(b"<Progress>", b"<StatusMessage>" + b"x" * 300 + b"</StatusMessage><Progress>", 1),
    )

    assert (judge(unknown), judge(long)) == ([], [])
    assert operation_name(unknown) == CREATE
