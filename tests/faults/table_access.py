"""Faults on the way to credentials, to a cluster's address, and of its API server."""

from __future__ import annotations

from kubernetes.client.exceptions import ApiException

from multicluster.errors import AccessError, ClusterUnreachableError, CredentialError, CredentialUnavailableError

from .row import Row, row

CREDENTIALS = [
    *(
        row(fault, "gpu token", error, "role/airflow-gpu", code, identity="role")
        for fault, error, code in (
            ("role-denied", CredentialError, "AccessDenied"),
            ("role-policy-malformed", CredentialError, "MalformedPolicyDocument"),
            ("role-policy-too-large", CredentialError, "PackedPolicyTooLarge"),
            ("region-disabled", CredentialError, "RegionDisabledException"),
            ("throttled", CredentialUnavailableError, "Throttling"),
            ("server-error", CredentialUnavailableError, "InternalFailure"),
            ("unavailable", CredentialUnavailableError, "ServiceUnavailable"),
            ("expired-token", CredentialError, "ExpiredToken"),
            ("unknown-key", CredentialError, "InvalidClientTokenId"),
            ("clock-skew", CredentialError, "Signature expired"),
        )
    ),
    row("throttled", "gpu token", None, "airflow-gpu", identity="role", times=3),
    row("hang", "gpu token", CredentialUnavailableError, "imeout", identity="role", service="sts"),
    row("drop", "gpu token", None, "airflow-gpu", identity="role", service="sts"),
    *(
        row(fault, "gpu token", error, code, identity="web")
        for fault, error, code in (
            ("web-token-expired", CredentialError, "ExpiredTokenException"),
            ("web-token-invalid", CredentialError, "InvalidIdentityToken"),
            ("idp-unreachable", CredentialUnavailableError, "IDPCommunicationError"),
            ("idp-rejects", CredentialError, "IDPRejectedClaim"),
        )
    ),
    row("idp-unreachable", "gpu token", None, "default AWS credentials", identity="web", times=1),
    row("grant-refused", "gke token", CredentialError, "invalid_grant", "Invalid JWT Signature", identity="key file"),
    row("server-error", "gke token", CredentialUnavailableError, "internal_failure", identity="key file"),
    row("server-error", "gke token", None, "the service account in", identity="key file", times=1),
    row("impersonation-denied", "gke token", CredentialError, "getAccessToken", identity="impersonated"),
    row("throttled", "gke token", CredentialUnavailableError, "429", identity="impersonated",
        service="iamcredentials"),
    row("metadata-refuses", "gke token", CredentialUnavailableError, "metadata"),
    row("metadata-refuses", "gke token", None, "default", times=1),
    row("sessions-end", "gpu get", CredentialError, "ExpiredTokenException", identity="role", used=True),
    row("sessions-end", "gpu nodes", CredentialError, "STS refuses the signer with ExpiredToken", identity="role",
        used=True),
]  # fmt: skip
ADDRESSES = [
    row("cluster-gone", "gpu endpoint", AccessError, "no EKS cluster 'gpu' in us-east-1", "check clusterName"),
    row("cluster-gone", "gke endpoint", AccessError, "404", "check projectId, location and clusterName"),
    row("cluster-creating", "gpu endpoint", ClusterUnreachableError, "is CREATING and has no endpoint"),
    row("cluster-failed", "gpu endpoint", AccessError, "is FAILED and has no endpoint"),
    row("denied", "gpu endpoint", CredentialError, "allow eks:DescribeCluster, or pin endpoint",
        operation="DescribeCluster"),
    row("denied", "gke endpoint", CredentialError, "the identity needs container.clusters.get",
        operation="clusters.get"),
    row("throttled", "gpu endpoint", ClusterUnreachableError, "ThrottlingException", operation="DescribeCluster"),
    row("throttled", "gpu endpoint", None, "https://127.0.0.1", operation="DescribeCluster", times=3),
    row("throttled", "gke endpoint", ClusterUnreachableError, "429", operation="clusters.get"),
    row("hang", "gpu endpoint", ClusterUnreachableError, "DescribeCluster", operation="DescribeCluster"),
    row("hang", "gke endpoint", ClusterUnreachableError, "clusters.get", operation="clusters.get"),
    row("drop", "gpu endpoint", None, "https://127.0.0.1", operation="DescribeCluster"),
    row("clock-skew", "gpu endpoint", CredentialError, "Signature expired"),
]  # fmt: skip
API_SERVERS = [
    *(row("unauthorized", f"{on} {act}", None, "nodes") for on in ("gpu", "gke") for act in ("nodes", "nodes async")),
    *(
        row("unauthorized", f"{on} {act}", CredentialError, "refused two tokens with 401", who, times=2)
        for on, who in (("gpu", "access key"), ("gke", "application default"))
        for act in ("nodes", "nodes async")
    ),
    row("tokens-expire", "gpu nodes", None, "nodes", used=True),
    row("tokens-expire", "gke nodes", None, "nodes", used=True),
    row("tokens-expire", "gke get", None, "active RUNNING", used=True),
    row("certificate-rotates", "gpu nodes", None, "nodes", used=True),
    row("certificate-rotates", "gpu nodes async", None, "nodes", used=True),
    row("certificate-rotates", "gke nodes", None, "nodes", used=True),
    row("certificate-rotates", "laptop nodes", ClusterUnreachableError, "certificate verify failed", used=True),
    row("clock-skew", "gpu nodes", CredentialError, "refused two tokens with 401", "clock", used=True, seconds="1200"),
    row("forbidden", "gpu nodes", ApiException, "403"),
    row("forbidden", "gpu ready", None, "failed: ", "the cluster answered 403", "kubernetes:list nodes"),
    row("pod-quota", "gpu pod", ApiException, "403", "exceeded quota"),
    row("object-gone", "gpu pod gone", ApiException, "404", "NotFound"),
    row("already-exists", "gpu pod", ApiException, "409", "AlreadyExists"),
    row("conflict", "gpu label", ApiException, "409", "the object has been modified"),
    row("watch-expired", "gpu watched", None, "told of its end"),
    row("unauthorized", "gpu watched", None, "told of its end", operation="watch pods"),
    row("api-server-drops", "gpu watched", None, "told of its end", operation="watch pods"),
    row("api-server-throttles", "gpu watched", None, "told of its end", operation="(list|watch) pods"),
    row("bad-request", "gpu nodes", ApiException, "400"),
    row("invalid", "gpu pod", ApiException, "422", "Invalid value"),
    *(
        row(fault, f"gpu {act}", ApiException, status)
        for act in ("nodes", "nodes async")
        for fault, status in (
            ("api-server-throttles", "429"), ("api-server-error", "500"), ("bad-gateway", "502"),
            ("api-server-unavailable", "503"), ("gateway-timeout", "504"),
        )
    ),
    *(
        row(fault, "gpu ready", None, "waiting: node pool", f"the cluster answered {status}")
        for fault, status in (
            ("api-server-throttles", "429"), ("api-server-error", "500"), ("bad-gateway", "502"),
            ("api-server-unavailable", "503"), ("gateway-timeout", "504"),
        )
    ),
    row("api-server-slow", "gpu nodes", None, "nodes", seconds="0.1"),
    row("api-server-hangs", "gpu nodes", ClusterUnreachableError, "cluster 'gpu': no usable answer", "read 2 s"),
    row("api-server-hangs", "gpu nodes async", ClusterUnreachableError, "cluster 'gpu': no usable answer", "read 2 s"),
    row("api-server-lost-response", "gpu nodes", None, "nodes"),
    row("api-server-lost-response", "gpu pod", ClusterUnreachableError, "cluster 'gpu': no usable answer"),
    row("api-server-lost-response", "gpu pod twice", ApiException, "409", "AlreadyExists"),
    row("api-server-drops", "gpu nodes", None, "nodes"),
    row("api-server-drops", "gpu nodes async", None, "nodes"),
    row("api-server-drops", "gpu pod", ClusterUnreachableError, "cluster 'gpu': no usable answer"),
]  # fmt: skip
TABLE: list[Row] = [*CREDENTIALS, *ADDRESSES, *API_SERVERS]
