"""Why an API server refuses a pod is one line."""

from __future__ import annotations

import json

import pytest

from multicluster.pods.refused import refused

CASES = {
    "quota": (
        403,
        (
            'pods "fit" is forbidden: exceeded quota: compute, requested: pods=1,requests.nvidia.com/gpu=1, used: '
            "pods=10, limited: pods=10"
        ),
        (
            "quota 'compute' of namespace 'team' is used up: asked for pods=1,requests.nvidia.com/gpu=1, in use "
            "pods=10, limit pods=10 [create pod: 403 Forbidden]"
        ),
    ),
    "quota wants to know": (
        403,
        'pods "fit" is forbidden: failed quota: compute: must specify limits.cpu for: base',
        (
            "quota 'compute' of namespace 'team' wants the pod to say limits.cpu (container_resources) "
            "[create pod: 403 Forbidden]"
        ),
    ),
    "pod security": (
        403,
        (
            'pods "fit" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false '
            '(container "base" must set securityContext.allowPrivilegeEscalation=false)'
        ),
        (
            "the Pod Security level 'restricted:latest' of namespace 'team' forbids it: "
            'allowPrivilegeEscalation != false (container "base" must set '
            "securityContext.allowPrivilegeEscalation=false) [create pod: 403 Forbidden]"
        ),
    ),
    "webhook": (
        400,
        'admission webhook "images.acme.com" denied the request: image not from our registry',
        "the admission webhook 'images.acme.com' refuses it: image not from our registry [create pod: 400 BadRequest]",
    ),
    "rights": (
        403,
        (
            'pods is forbidden: User "arn:aws:iam::111122223333:role/airflow" cannot create resource "pods" in API '
            'group "" in the namespace "team"'
        ),
        (
            "the identity 'arn:aws:iam::111122223333:role/airflow' may not create pods in namespace 'team' (RBAC) "
            "[create pod: 403 Forbidden]"
        ),
    ),
    "service account": (
        403,
        'pods "fit" is forbidden: error looking up service account team/trainer: serviceaccount "trainer" not found',
        "namespace 'team' has no service account 'trainer' (service_account_name) [create pod: 403 Forbidden]",
    ),
    "namespace": (
        404,
        'namespaces "team" not found',
        "there is no namespace 'team' [create pod: 404 NotFound]",
    ),
    "limit range": (
        403,
        'pods "fit" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi',
        (
            "a LimitRange of namespace 'team': maximum memory usage per Container is 1Gi, but limit is 2Gi "
            "[create pod: 403 Forbidden]"
        ),
    ),
    "invalid": (
        422,
        'Pod "fit" is invalid: spec.containers[0].image: Required value',
        "the API server finds it invalid: spec.containers[0].image: Required value [create pod: 422 Invalid]",
    ),
    "unheard of": (
        403,
        "something new",
        "the API server refuses it: something new [create pod: 403 Forbidden]",
    ),
}
REASONS = {400: "BadRequest", 403: "Forbidden", 404: "NotFound", 422: "Invalid"}


@pytest.mark.parametrize("case", CASES)
def test_pain_24_a_refusal_is_one_line(case):
    status, message, expected = CASES[case]

    assert refused(status, json.dumps({"message": message, "reason": REASONS[status]}), namespace="team") == expected


@pytest.mark.parametrize("body", ["<html>\nForbidden", "", None, "[]", '"text"'])
def test_an_answer_that_no_api_server_wrote_is_told_as_it_is(body):
    said = refused(403, body, namespace="team")

    assert said.startswith("the API server refuses it: ")
    assert "\n" not in said
