"""Answer the Google APIs that the toolkit speaks: OAuth2, IAM credentials, metadata, GKE, a little of Compute."""
