"""The stock operators that are known, and their arguments; a test holds the lists against the installed providers."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class Role(Enum):
    """What a stock class is for."""

    EKS_POD = "EksPodOperator"
    GKE_POD = "GKEStartPodOperator"
    POD = "KubernetesPodOperator"
    CREATE = "EksCreateNodegroupOperator"
    SENSOR = "EksNodegroupStateSensor"
    DELETE = "EksDeleteNodegroupOperator"
    OTHER = "another operator of a remote cluster"


PODS = frozenset({Role.EKS_POD, Role.GKE_POD, Role.POD})
CHAIN = frozenset({Role.CREATE, Role.SENSOR, Role.DELETE})
_EKS = "airflow.providers.amazon.aws.operators.eks"
_EKS_SENSORS = "airflow.providers.amazon.aws.sensors.eks"
_GKE = "airflow.providers.google.cloud.operators.kubernetes_engine"
_CNCF = "airflow.providers.cncf.kubernetes.operators"
ROLES: Mapping[str, Role] = {
    f"{_EKS}.EksPodOperator": Role.EKS_POD,
    f"{_EKS}.EKSPodOperator": Role.EKS_POD,
    f"{_GKE}.GKEStartPodOperator": Role.GKE_POD,
    f"{_CNCF}.pod.KubernetesPodOperator": Role.POD,
    f"{_CNCF}.kubernetes_pod.KubernetesPodOperator": Role.POD,
    f"{_EKS}.EksCreateNodegroupOperator": Role.CREATE,
    f"{_EKS}.EKSCreateNodegroupOperator": Role.CREATE,
    f"{_EKS_SENSORS}.EksNodegroupStateSensor": Role.SENSOR,
    f"{_EKS_SENSORS}.EKSNodegroupStateSensor": Role.SENSOR,
    f"{_EKS}.EksDeleteNodegroupOperator": Role.DELETE,
    f"{_EKS}.EKSDeleteNodegroupOperator": Role.DELETE,
    f"{_GKE}.GKEStartJobOperator": Role.OTHER,
    f"{_CNCF}.job.KubernetesJobOperator": Role.OTHER,
}
NAMES = tuple(sorted({name.rpartition(".")[2] for name in ROLES} | {"task.kubernetes"}))
"""What a file must mention to be worth reading."""
DECORATORS: Mapping[str, str] = {"kubernetes": "cluster_pod", "kubernetes_cmd": "cluster_pod_cmd"}
"""Ours by the stock decorators'."""
OURS: Mapping[Role, str] = {**dict.fromkeys(PODS, "ClusterPodOperator"), Role.OTHER: "ClusterJobOperator"}
"""What takes the place of a class that nobody rewrites."""
CHAINING = frozenset({"airflow.sdk.chain", "airflow.models.baseoperator.chain", "airflow.utils.helpers.chain"})

REMOTE = ("config_file", "cluster_context", "kubernetes_conn_id", "in_cluster")
"""How KubernetesPodOperator names another cluster; refused by ClusterPodOperator beside ``cluster=``."""
PLACE: Mapping[Role, frozenset[str]] = {
    Role.EKS_POD: frozenset({"cluster_name", "region", "aws_conn_id", *REMOTE}),
    Role.GKE_POD: frozenset(
        {
            "cluster_name",
            "location",
            "project_id",
            "gcp_conn_id",
            "impersonation_chain",
            "use_internal_ip",
            "use_dns_endpoint",
            *REMOTE,
        }
    ),
    Role.POD: frozenset(REMOTE),
    Role.CREATE: frozenset(
        {
            "cluster_name",
            "region",
            "region_name",
            "aws_conn_id",
            "nodegroup_name",
            "nodegroup_subnets",
            "nodegroup_role_arn",
            "create_nodegroup_kwargs",
        }
    ),
    Role.SENSOR: frozenset({"cluster_name", "nodegroup_name"}),
    Role.DELETE: frozenset({"cluster_name", "nodegroup_name"}),
    Role.OTHER: frozenset({"cluster_name", *REMOTE}),
}
"""The arguments of each operator that say where, and that the registry holds from now on."""

POD_ARGUMENTS = frozenset(
    """
    active_deadline_seconds affinity annotations arguments automount_service_account_token base_container_name
    base_container_status_polling_interval callbacks cmds cluster_context config_file configmaps container_logs
    container_name_log_prefix_enabled container_resources container_security_context deferrable dns_config dnspolicy
    do_xcom_push durable env_from env_vars full_pod_spec get_logs host_aliases hostname hostnetwork image
    image_pull_policy image_pull_secrets in_cluster init_container_logs init_containers is_delete_operator_pod
    kubernetes_conn_id labels log_events_on_failure log_events_on_startup log_formatter log_pod_spec_on_failure
    logging_interval name namespace node_selector on_finish_action on_kill_action pod_runtime_info_envs
    pod_template_dict pod_template_file poll_interval ports priority_class_name progress_callback random_name_suffix
    reattach_on_restart runtime_class_name schedule_timeout_seconds schedulername secrets security_context
    service_account_name skip_on_exit_code startup_check_interval_seconds startup_timeout_seconds subdomain
    termination_grace_period termination_message_policy tolerations trigger_kwargs volume_mounts volumes
    xcom_sidecar_container_security_context
    """.split()  # noqa: SIM905 - a list of words, and not a page of quotes
)
TASK_ARGUMENTS = frozenset(
    """
    allow_nested_operators dag default_args depends_on_past doc doc_json doc_md doc_rst doc_yaml email email_on_failure
    email_on_retry end_date execution_timeout executor executor_config ignore_first_depends_on_past inlets logger_name
    map_index_template max_active_tis_per_dag max_active_tis_per_dagrun max_retry_delay multiple_outputs
    on_execute_callback on_failure_callback on_retry_callback on_skipped_callback on_success_callback outlets owner
    params pool pool_slots post_execute pre_execute priority_weight queue render_template_as_native_obj resources
    retries retry_delay retry_exponential_backoff retry_policy run_as_user sla start_date task_display_name task_group
    task_id trigger_rule wait_for_downstream wait_for_past_depends_before_skipping weight_rule
    """.split()  # noqa: SIM905 - a list of words, and not a page of quotes
)
EKS_ONLY = frozenset({"pod_name"})
