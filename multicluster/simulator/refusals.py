"""What APIs refuse, in the words of the clouds and of Kubernetes.

Name -> (service, operations, how often or None, the refusal, what it is). Codes are AWS's, in the spelling of STS;
each service writes its own dialect of them, and Google its own words. ``{call}`` and ``{target}`` stand for the call.
"""

from __future__ import annotations

from multicluster.simulator.faults import HttpError

AWS = "eks|sts|autoscaling|ec2|scheduler"
BOTH = f"{AWS}|container|compute|iamcredentials|oauth2|metadata"
CREATE, DELETE = "CreateNodegroup|nodePools.create", "DeleteNodegroup|nodePools.delete"
UPDATE = r"UpdateNodegroupConfig|nodePools\.(update|setSize)"
GKE_CHANGES = r"nodePools\.(create|delete|update|setSize)"
DESCRIBE = r"DescribeCluster|clusters\.get"
ROLES, WEB = "AssumeRole.*", "AssumeRoleWithWebIdentity"


def no(code: int, reason: str, message: str) -> HttpError:
    """Refuse in the words of the service."""
    return HttpError(code=code, reason=reason, message=message)


REFUSALS: dict[str, tuple[str, str, int | None, HttpError, str]] = {
    # any call
    "throttled": (BOTH, ".*", None, no(429, "Throttling", "Rate exceeded"),
        "an API answers Throttling in its own spelling, 429 on REST APIs"),
    "too-many-requests": (AWS, ".*", None, no(429, "TooManyRequestsException", "Too Many Requests"),
        "throttling in another spelling"),
    "request-limit": (AWS, ".*", None, no(503, "RequestLimitExceeded", "Request limit exceeded."),
        "throttling as EC2 spells it"),
    "server-error": (BOTH, ".*", None, no(500, "InternalFailure", "Internal server error"), "an API answers 500"),
    "unavailable": (BOTH, ".*", None, no(503, "ServiceUnavailable", "Service unavailable"), "an API answers 503"),
    "deadline-exceeded": (BOTH, ".*", None, no(504, "DeadlineExceeded", "Deadline exceeded"),
        "an API, or what stands before it, answers 504"),
    "propagation-delay": ("eks", ".*", None,
        no(428, "ResourcePropagationDelayException", "A required resource (a role) is still being propagated."),
        "eventual consistency of IAM: 428"),
    "denied": (BOTH, ".*", None, no(403, "AccessDenied", "The caller is not authorized to perform: {call}"),
        "a call is refused for want of rights: choose it by operation"),
    "expired-token": (BOTH, ".*", None,
        no(403, "ExpiredToken", "The security token included in the request is expired"), "credentials are expired"),
    "unknown-key": (BOTH, ".*", None,
        no(403, "InvalidClientTokenId", "The security token included in the request is invalid."),
        "credentials are unknown: a key was deleted, or is of another partition"),
    "signature-expired": (AWS, ".*", None,
        no(403, "SignatureDoesNotMatch", "Signature expired: 20261121T120000Z is now earlier than 20261121T121500Z"),
        "a signature is too old (see clock-skew, which does it)"),
    # node pools
    "create-denied": (BOTH, CREATE, None,
        no(403, "AccessDenied", "User is not authorized to perform: eks:CreateNodegroup"),
        "creating a pool is refused for want of rights"),
    "create-limit": (BOTH, CREATE, None,
        no(400, "ResourceLimitExceededException", "Cannot exceed max of 30 nodegroups per cluster"),
        "creating a pool is refused: too many are there"),
    "create-quota": ("container", CREATE, None,
        no(429, "", 'Insufficient regional quota to satisfy request: resource "NVIDIA_L4_GPUS": request requires '
        "'1.0' and is short '1.0'. project has a quota of '0.0' with '0.0' available."),
        "creating a pool is refused: the quota of GPUS is used up"),
    "create-exists": (BOTH, CREATE, None, no(409, "AlreadyExists", "Already exists: {target}"),
        "creating a pool is refused: the name is taken"),
    "create-in-use": ("eks", CREATE, None,
        no(409, "ResourceInUseException", "Cannot create node group: cluster is being updated"),
        "creating a pool is refused: the cluster is busy"),
    "create-not-now": ("eks", CREATE, None,
        no(400, "InvalidRequestException", "Cluster gpu is not in ACTIVE status: UPDATING"),
        "creating a pool is refused: the cluster's state does not allow it"),
    "invalid-parameter": (BOTH, CREATE, None,
        no(400, "InvalidParameterException", "The requested machine type is not supported"),
        "creating a pool is refused: a parameter is wrong"),
    "client-error": ("eks", ".*", None, no(400, "ClientException", "The request could not be processed"),
        "EKS refuses for a reason of its own"),
    "delete-refused": (BOTH, DELETE, 1,
        no(409, "ResourceInUseException", "Nodegroup cannot be deleted right now: a dependent resource is in use"),
        "deleting a pool is refused with ResourceInUse"),
    "update-refused": ("eks|container", UPDATE, 1,
        no(409, "ResourceInUseException", "Nodegroup cannot be updated as it is currently not in Active State"),
        "changing a pool is refused with ResourceInUse"),
    "operation-running": ("container", GKE_CHANGES, None,
        no(400, "ResourceInUseException", "Cluster is running incompatible operation operation-1763726400000-1b2c."),
        "another operation holds the cluster: 400 FAILED_PRECONDITION"),
    "operation-running-old": ("container", GKE_CHANGES, None,
        no(400, "", "Operation operation-1 is currently operating on cluster gpu. Please wait and try again later."),
        "the same from older servers, as INVALID_ARGUMENT"),
    "changed-meanwhile": ("container", r"nodePools\.update", 1,
        no(409, "ABORTED", "The etag is not that of the newest version of the node pool."),
        "somebody else changed a pool meanwhile"),
    # clusters
    "cluster-gone": (BOTH, f"{DESCRIBE}|.*Nodegroups?|nodePools.*", None,
        no(404, "ResourceNotFoundException", "No cluster found for name: {target}."), "the cluster is not found"),
    "cluster-creating": ("eks", "DescribeCluster", None,
        HttpError(code=200, body=b'{"cluster": {"name": "gpu", "status": "CREATING"}}'),
        "the cluster is CREATING and has no endpoint yet"),
    "cluster-failed": ("eks", "DescribeCluster", None,
        HttpError(code=200, body=b'{"cluster": {"name": "gpu", "status": "FAILED"}}'),
        "the cluster is FAILED and has no endpoint"),
    # credentials
    "role-denied": ("sts", ROLES, None, no(403, "AccessDenied", "The caller is not authorized to perform: {call}"),
        "a role does not trust the caller, or does not yet"),
    "role-policy-malformed": ("sts", ROLES, None, no(400, "MalformedPolicyDocument", "The policy is not valid JSON"),
        "a session policy cannot be read"),
    "role-policy-too-large": ("sts", ROLES, None,
        no(400, "PackedPolicyTooLarge", "Serialized token too large for session"), "session tags are too many"),
    "region-disabled": ("sts", ROLES, None,
        no(403, "RegionDisabledException", "STS is not activated in this region for account: 111122223333"),
        "STS is switched off in the region"),
    "web-token-expired": ("sts", WEB, None,
        no(400, "ExpiredTokenException", "Token expired: current date/time must be before the expiration date/time"),
        "the OIDC token of a role is expired"),
    "web-token-invalid": ("sts", WEB, None,
        no(400, "InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider"),
        "the OIDC token of a role cannot be verified"),
    "idp-unreachable": ("sts", WEB, None,
        no(400, "IDPCommunicationError", "Could not reach the identity provider"),
        "STS cannot reach the identity provider"),
    "idp-rejects": ("sts", WEB, None, no(403, "IDPRejectedClaim", "The identity provider rejects the token"),
        "the identity provider rejects the OIDC token"),
    "grant-refused": ("oauth2", "token", None, no(400, "invalid_grant", "Invalid JWT Signature."),
        "Google gives no token: the key was deleted"),
    "impersonation-denied": ("iamcredentials", ".*", None,
        no(403, "AccessDenied", "Permission 'iam.serviceAccounts.getAccessToken' denied on resource"),
        "Google gives no token of another account"),
    "metadata-refuses": ("metadata", ".*", None, no(503, "ServiceUnavailable", ""),
        "Google's metadata server is not ready"),
    # schedules
    "schedule-exists": ("scheduler", "CreateSchedule", None,
        no(409, "ConflictException", "Schedule {target} already exists."), "a schedule's name is taken"),
    "schedule-quota": ("scheduler", "CreateSchedule", None,
        no(402, "ServiceQuotaExceededException", "Schedules per account limit exceeded."),
        "too many schedules are there"),
    "schedule-invalid": ("scheduler", "(Create|Update)Schedule", None,
        no(400, "ValidationException", "The execution role you provide must allow AWS EventBridge Scheduler to assume "
        "the role."), "a schedule is refused as it stands"),
    "schedule-not-found-yet": ("scheduler", "GetSchedule", None,
        no(404, "ResourceNotFoundException", "Schedule {target} does not exist."),
        "eventual consistency: a schedule just created is not found"),
    "schedule-group-gone": ("scheduler", "(Create|Update|Get|Delete)Schedule", None,
        no(404, "ResourceNotFoundException", "Schedule group default does not exist."), "the schedule group is gone"),
    # Kubernetes
    "unauthorized": ("kubernetes", ".*", 1, no(401, "Unauthorized", "Unauthorized"),
        "a Kubernetes API server answers 401 to a good token"),
    "forbidden": ("kubernetes", ".*", None, no(403, "Forbidden", "the caller may not do that: {call}"),
        "a right is missing in the cluster"),
    "pod-quota": ("kubernetes", "create pods", None,
        no(403, "Forbidden", "pods is forbidden: exceeded quota: gpus, requested: requests.nvidia.com/gpu=1"),
        "a quota of the namespace is used up"),
    "object-gone": ("kubernetes", "(get|delete|update|patch) .*", None, no(404, "NotFound", "{target} not found"),
        "an object is not there"),
    "already-exists": ("kubernetes", "create .*", None, no(409, "AlreadyExists", "{target} already exists"),
        "an object is there already"),
    "conflict": ("kubernetes", "(update|patch) .*", 1,
        no(409, "Conflict", "the object has been modified; please apply your changes to the latest version"),
        "somebody else changed an object meanwhile"),
    "watch-expired": ("kubernetes", "watch .*", 1,
        no(410, "Expired", "too old resource version: 1 (100)"), "a watch begins too far in the past"),
    "bad-request": ("kubernetes", ".*", None, no(400, "BadRequest", "the request cannot be understood"),
        "a Kubernetes API server answers 400"),
    "invalid": ("kubernetes", "(create|update|patch) .*", None, no(422, "Invalid", "spec: Invalid value"),
        "a Kubernetes API server answers 422"),
    "api-server-throttles": ("kubernetes", ".*", 1,
        HttpError(code=429, reason="TooManyRequests", message="Too many requests, please try again later.",
        headers={"Retry-After": "1"}), "a Kubernetes API server answers 429 with Retry-After"),
    "api-server-error": ("kubernetes", ".*", 1, no(500, "InternalError", "injected"),
        "a Kubernetes API server answers 500"),
    "bad-gateway": ("kubernetes", ".*", 1,
        HttpError(code=502, body=b"<html>502 Bad Gateway</html>", content_type="text/html"),
        "what stands before a Kubernetes API server answers 502, in HTML"),
    "api-server-unavailable": ("kubernetes", ".*", 1, no(503, "ServiceUnavailable", "the server is shutting down"),
        "a Kubernetes API server answers 503"),
    "gateway-timeout": ("kubernetes", ".*", 1, no(504, "Timeout", "request did not complete within requested timeout"),
        "a Kubernetes API server answers 504"),
}  # fmt: skip
