"""TaskFlow: functions as tasks on clusters of the registry."""
