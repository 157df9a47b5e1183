"""Answer Google's APIs that the toolkit speaks: OAuth2, IAM credentials, the metadata server, GKE and a little of Compute."""
