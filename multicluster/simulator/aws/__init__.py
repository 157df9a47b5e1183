"""Answer the AWS APIs that the toolkit speaks: EKS, STS, EC2 Auto Scaling, EC2 and EventBridge Scheduler."""
