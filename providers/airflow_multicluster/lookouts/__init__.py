"""One look at the cloud and the cluster at a time; sensors and triggers decide when to look again."""
