"""Faults of the clouds' APIs and of pools' lives, as NodePools meets them."""

from __future__ import annotations

from multicluster.errors import (
    CloudUnavailableError,
    CredentialError,
    NodePoolBusyError,
    NodePoolLimitError,
    NodePoolNotFoundError,
    NodePoolRefusedError,
)

from .row import Row, row

ANY_CALL = [
    row("throttled", "gpu create", None, "pending CREATING", operation="CreateNodegroup", times=3),
    row("throttled", "gpu create", CloudUnavailableError, "CreateNodegroup", "ThrottlingException",
        operation="CreateNodegroup"),
    row("throttled", "gpu get", CloudUnavailableError, "DescribeNodegroup", "ThrottlingException"),
    row("throttled", "gpu list", CloudUnavailableError, "ListNodegroups"),
    row("throttled", "gpu delete", CloudUnavailableError, "DeleteNodegroup"),
    row("throttled", "gpu get", None, "active ACTIVE", service="autoscaling"),
    row("throttled", "gpu create", CloudUnavailableError, "dead-man switch: CreateSchedule", service="scheduler",
        operation="CreateSchedule"),
    row("throttled", "gke create", NodePoolBusyError, "nodePools.create", "429 RESOURCE_EXHAUSTED",
        operation="nodePools.create"),
    row("throttled", "gke delete", NodePoolBusyError, "429", operation="nodePools.delete"),
    row("throttled", "gke instances", NodePoolBusyError, "instances.aggregatedList", service="compute"),
    row("too-many-requests", "gpu get", CloudUnavailableError, "TooManyRequestsException"),
    row("too-many-requests", "gpu get", None, "active", times=3, operation="DescribeNodegroup"),
    row("request-limit", "gpu instances", CloudUnavailableError, "DescribeInstances", "RequestLimitExceeded"),
    row("server-error", "gpu get", CloudUnavailableError, "ServerException"),
    row("server-error", "gpu get", None, "active", times=3, operation="DescribeNodegroup"),
    row("server-error", "gpu create", CloudUnavailableError, "InternalServerException", service="scheduler"),
    row("server-error", "gke get", CloudUnavailableError, "nodePools.get", "500 INTERNAL"),
    row("unavailable", "gpu delete", CloudUnavailableError, "ServiceUnavailableException"),
    row("unavailable", "gke delete", CloudUnavailableError, "503 UNAVAILABLE", operation="nodePools.delete"),
    row("deadline-exceeded", "gpu get", CloudUnavailableError, "DeadlineExceeded"),
    row("deadline-exceeded", "gke delete", CloudUnavailableError, "504 DEADLINE_EXCEEDED",
        operation="nodePools.delete"),
    row("propagation-delay", "gpu create", NodePoolBusyError, "ResourcePropagationDelayException",
        operation="CreateNodegroup"),
    row("expired-token", "gpu get", CredentialError, "ExpiredTokenException", "Renew the cluster's credentials"),
    row("expired-token", "gpu instances", CredentialError, "RequestExpired", service="ec2"),
    row("expired-token", "gke get", CredentialError, "401 UNAUTHENTICATED", service="container"),
    row("unknown-key", "gpu get", CredentialError, "UnrecognizedClientException"),
    row("unknown-key", "gpu instances", CredentialError, "AuthFailure", service="ec2"),
    row("unknown-key", "gke get", CredentialError, "401 UNAUTHENTICATED", service="container"),
    row("signature-expired", "gpu get", CredentialError, "Signature expired", "Check the clock of this machine"),
    row("client-error", "gpu get", NodePoolRefusedError, "ClientException"),
]  # fmt: skip
DENIED = [
    *(
        row("denied", f"gpu {act}", NodePoolRefusedError, operation, f"perform: {service}:{operation}",
            "infra/iam/aws",
            operation=operation)
        for act, service, operation in (
            ("create", "eks", "DescribeNodegroup"), ("create", "eks", "CreateNodegroup"),
            ("create", "scheduler", "GetSchedule"), ("create", "scheduler", "CreateSchedule"),
            ("get", "eks", "DescribeNodegroup"), ("list", "eks", "ListNodegroups"),
            ("list", "eks", "DescribeNodegroup"), ("delete", "eks", "DeleteNodegroup"),
            ("renew", "scheduler", "UpdateSchedule"), ("renew", "eks", "TagResource"),
            ("armed", "scheduler", "GetSchedule"), ("release", "scheduler", "DeleteSchedule"),
            ("renew", "eks", "DescribeNodegroup"), ("renew", "scheduler", "GetSchedule"),
            ("release", "eks", "DescribeNodegroup"), ("release", "scheduler", "GetSchedule"),
            ("leftovers", "scheduler", "ListSchedules"), ("leftovers", "scheduler", "GetSchedule"),
            ("leftovers", "eks", "ListNodegroups"),
        )
    ),
    row("denied", "gpu instances", NodePoolRefusedError, "DescribeInstances", "UnauthorizedOperation", "infra/iam/aws",
        operation="DescribeInstances"),
    row("denied", "gpu leftovers", NodePoolRefusedError, "UnauthorizedOperation", operation="DescribeInstances"),
    row("denied", "gpu get", None, "active ACTIVE", "ScalingActivitiesUnreadable", "DescribeScalingActivities",
        operation="DescribeScalingActivities"),
    *(
        row("denied", f"gke {act}", NodePoolRefusedError, method, "403 PERMISSION_DENIED", operation=method)
        for act, method in (
            ("create", "nodePools.get"), ("create", "clusters.get"), ("create", "nodePools.create"),
            ("get", "nodePools.get"), ("list", "nodePools.list"), ("delete", "nodePools.delete"),
            ("instances", "instances.aggregatedList"), ("fill", "nodePools.setSize"),
            ("renew", "nodePools.get"), ("renew", "nodePools.update"), ("armed", "nodePools.get"),
            ("leftovers", "instances.aggregatedList"), ("leftovers", "nodePools.list"),
        )
    ),
    row("denied", "gke get", None, "InstanceGroupErrorsUnreadable", "listErrors",
        operation="instanceGroupManagers.listErrors"),
]  # fmt: skip
POOLS = [
    row("create-denied", "gpu create", NodePoolRefusedError, "eks:CreateNodegroup"),
    row("create-denied", "gke create", NodePoolRefusedError, "403 PERMISSION_DENIED"),
    row("create-limit", "gpu create", NodePoolLimitError, "ResourceLimitExceededException", "max of 30"),
    row("create-quota", "gke create", NodePoolLimitError, "NVIDIA_L4_GPUS"),
    row("create-exists", "gpu create", NodePoolBusyError, "ResourceInUseException: Already exists"),
    row("create-exists", "gke create", NodePoolBusyError, "409 ALREADY_EXISTS", "cannot be read yet"),
    row("create-in-use", "gpu create", NodePoolBusyError, "ResourceInUseException"),
    row("create-not-now", "gpu create", NodePoolBusyError, "InvalidRequestException", "UPDATING"),
    row("invalid-parameter", "gpu create", NodePoolRefusedError, "InvalidParameterException"),
    row("invalid-parameter", "gke create", NodePoolRefusedError, "400 INVALID_ARGUMENT"),
    row("delete-refused", "gpu delete", NodePoolBusyError, "DeleteNodegroup", "ResourceInUseException"),
    row("delete-refused", "gke delete", NodePoolBusyError, "400 FAILED_PRECONDITION"),
    row("update-refused", "gke renew", NodePoolBusyError, "nodePools.update", "400 FAILED_PRECONDITION"),
    row("changed-meanwhile", "gke renew", NodePoolBusyError, "409 ABORTED", "etag"),
    row("update-refused", "gke fill", NodePoolBusyError, "nodePools.setSize", "400 FAILED_PRECONDITION"),
    *(
        row(fault, f"gke {act}", NodePoolBusyError, words)
        for act in ("create", "delete", "fill", "renew")
        for fault, words in (
            ("operation-running", "running incompatible operation"),
            ("operation-running-old", "is currently operating on cluster"),
        )
    ),
    row("cluster-gone", "gpu get", NodePoolRefusedError, "Check clusterName and region in the registry"),
    row("cluster-gone", "gpu create", NodePoolRefusedError, "Check clusterName and region in the registry"),
    row("cluster-gone", "gpu delete", NodePoolRefusedError, "Check clusterName and region in the registry"),
    row("cluster-gone", "gke delete", NodePoolRefusedError, "Check projectId, location and clusterName"),
    row("not-found-yet", "gpu ready", None, "waiting: ", "No node group found"),
    row("not-found-yet", "gpu gone", None, "waiting: ", times=1),
    row("not-found-yet", "gpu get", NodePoolNotFoundError, "No node group found"),
    row("not-found-yet", "gke get", NodePoolNotFoundError, "404 NOT_FOUND"),
    row("not-found-yet", "gpu create again", None, "active ACTIVE", times=1),
    row("not-found-yet", "gpu create again", NodePoolBusyError, "ResourceInUseException", times=2),
    row("not-found-yet", "gke create again", NodePoolBusyError, "cannot be read yet", times=2),
    row("not-found-yet", "gke create again", None, "active RUNNING", times=1),
    row("unknown-status", "gpu get", None, "pending QUANTUM_LEAP"),
    row("unknown-status", "gke get", None, "pending QUANTUM_LEAP"),
    row("schedule-exists", "gpu create", NodePoolBusyError, "dead-man switch: CreateSchedule", "ConflictException"),
    row("schedule-quota", "gpu create", NodePoolLimitError, "ServiceQuotaExceededException"),
    row("schedule-invalid", "gpu create", NodePoolRefusedError, "dead-man-trust.json"),
    row("schedule-invalid", "gpu renew", NodePoolRefusedError, "UpdateSchedule", "dead-man-trust.json"),
    row("schedule-not-found-yet", "gpu create", CloudUnavailableError, "read back: it is not there; ask again"),
    row("schedule-not-found-yet", "gpu armed", None, "None"),
    row("not-found-yet", "gpu renew", NodePoolNotFoundError, "No node group found"),
    row("schedule-group-gone", "gpu create", NodePoolRefusedError, "aws scheduler create-schedule-group"),
]  # fmt: skip
NETWORK = [
    row("lost-response", "gpu create twice", None, "1 pool", operation="CreateNodegroup"),
    row("lost-response", "gpu delete", NodePoolNotFoundError, "No node group found", operation="DeleteNodegroup"),
    row("lost-response", "gpu create", None, "pending CREATING", operation="CreateSchedule"),
    row("lost-response", "gke create", CloudUnavailableError, "nodePools.create", operation="nodePools.create"),
    row("lost-response", "gke create twice", None, "1 pool", operation="nodePools.create"),
    row("lost-response", "gke delete", CloudUnavailableError, "nodePools.delete", operation="nodePools.delete"),
    *(
        row(fault, "gpu renew and look", None, "lease late by 0:00:00, switch 0:15:00 after it", operation=operation)
        for fault in ("lost-response", "error-after-acting")
        for operation in ("UpdateSchedule", "TagResource")
    ),
    row("lost-response", "gpu release", None, "None", operation="DeleteSchedule"),
    row("late-response", "gpu create twice", None, "1 pool", operation="CreateSchedule"),
    row("late-response", "gpu create", CloudUnavailableError, "CreateNodegroup", "imeout",
        operation="CreateNodegroup"),
    row("late-response", "gpu create twice", None, "1 pool", operation="CreateNodegroup"),
    row("late-response", "gke create twice", None, "1 pool", operation="nodePools.create"),
    row("error-after-acting", "gpu create twice", None, "1 pool", operation="CreateNodegroup"),
    row("error-after-acting", "gke create twice", None, "1 pool", operation="nodePools.create"),
    row("slow", "gpu get", None, "active", operation="DescribeNodegroup", seconds="0.1"),
    row("slow", "gke get", None, "active", operation="nodePools.get", seconds="0.1"),
    row("hang", "gpu get", CloudUnavailableError, "DescribeNodegroup", "imeout", operation="DescribeNodegroup"),
    row("hang", "gke get", CloudUnavailableError, "nodePools.get", "timed out", operation="nodePools.get"),
    row("drop", "gpu get", None, "active", operation="DescribeNodegroup"),
    row("drop", "gpu get", CloudUnavailableError, "DescribeNodegroup", times=4, operation="DescribeNodegroup"),
    row("drop", "gke get", CloudUnavailableError, "nodePools.get", operation="nodePools.get"),
    row("clock-skew", "gpu get", CredentialError, "Signature expired", "Check the clock of this machine"),
    row("clock-skew", "gpu get", CredentialError, "not yet current", "Check the clock of this machine",
        seconds="-1200"),
]  # fmt: skip
LIVES = [
    row("no-capacity", "gpu life", None, "pending CREATING", "InsufficientInstanceCapacity (capacity)", "us-east-1"),
    row("no-capacity", "gke life", None, "ZONE_RESOURCE_POOL_EXHAUSTED (capacity)", "europe-west4-a"),
    row("stock-out-locks", "gke fill and delete", NodePoolBusyError, "nodePools.delete", "incompatible operation"),
    row("no-quota", "gpu life", None, "VcpuLimitExceeded (fatal)"),
    row("no-quota", "gke life", None, "QUOTA_EXCEEDED (fatal)", "NVIDIA_GPUS"),
    *(
        row(fault, "gpu life", None, "pending CREATING", says)
        for fault, says in (
            ("no-spot", "UnfulfillableCapacity (capacity)"),
            ("spot-price-too-low", "SpotMaxPriceTooLow (capacity)"),
            ("spot-quota", "MaxSpotInstanceCountExceeded (fatal)"),
            ("no-addresses", "InsufficientFreeAddressesInSubnet (capacity)"),
            ("launch-denied", "UnauthorizedOperation (fatal)"),
            ("key-denied", "Client.InternalError (fatal)"),
            ("image-gone", "InvalidAMIID.NotFound (fatal)"),
            ("not-in-free-tier", "InvalidParameterCombination (fatal)"),
            ("type-not-in-zone", "Unsupported (fatal)"),
        )
    ),
    *(
        row(fault, "gpu life", None, "failed CREATE_FAILED", says)
        for fault, says in (
            ("create-fails", "NodeCreationFailure (fatal)"),
            ("node-role-gone", "IamNodeRoleNotFound (fatal)"),
            ("subnet-gone", "Ec2SubnetNotFound (fatal)"),
            ("instance-type-gone", "Ec2InstanceTypeDoesNotExist (fatal)"),
            ("cluster-unreachable", "ClusterUnreachable:"),
            ("internal-failure", "InternalFailure:"),
            ("iam-throttled", "IamThrottling:"),
            ("auto-scaling-throttled", "AutoScalingGroupRateLimitExceeded:"),
            ("never-ready", "NodeCreationFailure (fatal)"),
        )
    ),
    row("no-gpu", "gpu make ready", None, "waiting: ", "nvidia.com/gpu"),
    row("node-lost", "gpu ready", None, "waiting: "),
    row("preempted", "gpu ready", None, "waiting: "),
    row("create-fails", "gpu make ready", None, "failed: ", "NodeCreationFailure"),
    row("create-fails", "gpu create again", NodePoolBusyError, "its deletion was asked for", "ask again"),
    row("node-account-denied", "gke create and see", None, "failed ERROR",
        "NODE_SERVICE_ACCOUNT_MISSING_PERMISSIONS (fatal)"),
    row("kms-denied", "gke create and see", None, "failed ERROR", "CLOUD_KMS_KEY_ERROR (fatal)"),
    *(
        row(fault, f"{on} delete twice", None, status, code, step, "then 0 left", times=1)
        for fault, on, status, code, step in (
            ("delete-fails", "gpu", "failed DELETE_FAILED", "AutoScalingGroupInvalidConfiguration (fatal)",
                "resume-processes"),
            ("delete-fails", "gke", "failed ERROR", "suspended", ""),
            ("delete-fails-security-group", "gpu", "failed DELETE_FAILED", "Ec2SecurityGroupDeletionFailure (fatal)",
                "describe-network-interfaces"),
            ("delete-fails-role", "gpu", "failed DELETE_FAILED", "IamNodeRoleNotFound (fatal)", "under the same name"),
            ("delete-fails-denied", "gpu", "failed DELETE_FAILED", "AccessDenied (fatal)", "aws-auth ConfigMap"),
        )
    ),
]  # fmt: skip
TABLE: list[Row] = [*ANY_CALL, *DENIED, *POOLS, *NETWORK, *LIVES]
