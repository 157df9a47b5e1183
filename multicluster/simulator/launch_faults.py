"""What goes wrong in the life of a pool: machines that cannot be had, and ends that are refused.

Name -> (step of a node group's life, the cloud's code, the cloud's sentence, what it is). In sentences ``{type}``,
``{zone}`` and ``{others}`` stand for the machine and the zones. Codes of the first two faults are told by GKE in its
own words; what only one cloud says is marked.
"""

from __future__ import annotations

NO_CAPACITY = (
    "We currently do not have sufficient {type} capacity in the Availability Zone you requested ({zone}). "
    "Our system will be working on provisioning additional capacity. You can currently get {type} capacity by "
    "not specifying an Availability Zone in your request or choosing {others}."
)
NO_QUOTA = (
    "You have requested more vCPU capacity than your current vCPU limit of 0 allows for the instance bucket that the "
    "specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request an "
    "adjustment to this limit."
)
STEPS: dict[str, tuple[str, str, str, str]] = {
    "no-capacity": (
        "launch", "InsufficientInstanceCapacity",
        NO_CAPACITY, "no machine to be had: launches fail while the pool stays CREATING; CREATE_FAILED in the end",
    ),
    "no-quota": (
        "launch", "VcpuLimitExceeded",
        NO_QUOTA, "as no-capacity, for a GPU quota of zero",
    ),
    "no-spot": (
        "launch", "UnfulfillableCapacity",
        "Unable to fulfill capacity due to your request configuration. Please adjust your request and try again.",
        "as no-capacity, for Spot",
    ),
    "stock-out-locks": (
        "lock", "GCE_STOCKOUT", "",
        "asking for nodes holds the cluster for as long as GKE looks for machines: 35 minutes (GKE)",
    ),
    "spot-price-too-low": (
        "launch", "SpotMaxPriceTooLow",
        "Your Spot request price of 0.01 is lower than the minimum required Spot request fulfillment price of 0.41.",
        "launches fail: Spot costs more than was bid (EKS)",
    ),
    "spot-quota": (
        "launch", "MaxSpotInstanceCountExceeded", "Max spot instance count exceeded",
        "launches fail: the quota of Spot instances is used up (EKS)",
    ),
    "no-addresses": (
        "launch", "InsufficientFreeAddressesInSubnet",
        "There are not enough free addresses in subnet 'subnet-a' to satisfy the requested number of instances.",
        "launches fail: the subnet has no free address (EKS)",
    ),
    "launch-denied": (
        "launch", "UnauthorizedOperation", "You are not authorized to perform this operation.",
        "launches fail: a policy of the organisation forbids them (EKS)",
    ),
    "key-denied": (
        "launch", "Client.InternalError", "Client error on launch",
        "launches fail: Auto Scaling may not use the key of the disks (EKS)",
    ),
    "image-gone": (
        "launch", "InvalidAMIID.NotFound", "The image id '[ami-0f2eb3a9a8a1c8d5e]' does not exist",
        "launches fail: the machine image is gone (EKS)",
    ),
    "not-in-free-tier": (
        "launch", "InvalidParameterCombination",
        "The specified instance type is not eligible for Free Tier.",
        "launches fail: the account may not have such machines (EKS)",
    ),
    "type-not-in-zone": (
        "launch", "Unsupported",
        "Your requested instance type ({type}) is not supported in your requested Availability Zone ({zone}).",
        "launches fail: the zone has no such machines (EKS)",
    ),
    "create-fails": (
        "create", "NodeCreationFailure", "Instances failed to join the kubernetes cluster",
        "the pool turns CREATE_FAILED with a health issue",
    ),
    "node-role-gone": (
        "create", "IamNodeRoleNotFound", "The role with name gpu-node cannot be found.",
        "CREATE_FAILED: the nodes' role was deleted (EKS)",
    ),
    "subnet-gone": (
        "create", "Ec2SubnetNotFound", "The subnet ID 'subnet-a' does not exist",
        "CREATE_FAILED: a subnet was deleted (EKS)",
    ),
    "instance-type-gone": (
        "create", "Ec2InstanceTypeDoesNotExist", "The following supplied instance types do not exist: [{type}]",
        "CREATE_FAILED: the region has no such machines (EKS)",
    ),
    "cluster-unreachable": (
        "create", "ClusterUnreachable", "EKS is not able to communicate with your Kubernetes cluster API server",
        "CREATE_FAILED: EKS cannot speak to the cluster (EKS)",
    ),
    "internal-failure": (
        "create", "InternalFailure", "EKS had an internal failure", "CREATE_FAILED for no fault of ours (EKS)",
    ),
    "iam-throttled": (
        "create", "IamThrottling", "Your account is making too many requests to IAM",
        "CREATE_FAILED: IAM throttled EKS (EKS)",
    ),
    "auto-scaling-throttled": (
        "create", "AutoScalingGroupRateLimitExceeded", "Your account is making too many requests to Auto Scaling",
        "CREATE_FAILED: Auto Scaling throttled EKS (EKS)",
    ),
    "node-account-denied": (
        "create", "NODE_SERVICE_ACCOUNT_MISSING_PERMISSIONS",
        "The node service account lacks permissions: roles/container.defaultNodeServiceAccount",
        "the pool turns ERROR: the nodes' account lacks rights (GKE)",
    ),
    "kms-denied": (
        "create", "CLOUD_KMS_KEY_ERROR", "Permission 'cloudkms.cryptoKeyVersions.useToEncrypt' denied on the key",
        "the pool turns ERROR: the key of the disks cannot be used (GKE)",
    ),
    "never-ready": (
        "ready", "never-ready", "", "nodes join and stay NotReady; CREATE_FAILED in the end",
    ),
    "no-gpu": ("gpu", "no-gpu", "", "nodes turn Ready and never advertise a GPU"),
    "delete-fails": (
        "delete", "AutoScalingGroupInvalidConfiguration",
        "Couldn't terminate instances in ASG as Terminate process is suspended",
        "a delete that was accepted ends in DELETE_FAILED: processes of the Auto Scaling group are suspended",
    ),
    "delete-fails-security-group": (
        "delete", "Ec2SecurityGroupDeletionFailure",
        "DependencyViolation - resource has a dependent object (sg-0a1b2c3d: a network interface uses it)",
        "DELETE_FAILED: a network interface holds the security group (EKS)",
    ),
    "delete-fails-role": (
        "delete", "IamNodeRoleNotFound", "The role with name gpu-node cannot be found.",
        "DELETE_FAILED: the nodes' role was deleted first (EKS)",
    ),
    "delete-fails-denied": (
        "delete", "AccessDenied", "The aws-auth ConfigMap in your cluster is invalid.",
        "DELETE_FAILED: EKS lost its rights in the cluster (EKS)",
    ),
    "not-found-yet": ("read", "not-found", "", "eventual consistency: a pool just created is not found"),
    "unknown-status": ("status", "QUANTUM_LEAP", "", "describe answers a status no client knows"),
}  # fmt: skip
