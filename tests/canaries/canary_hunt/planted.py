"""Secrets that are there to be looked for."""

from __future__ import annotations

import datetime as dt


def spent(world) -> dict[str, str]:
    """Give the secrets that were made while the tasks ran."""
    sessions = [key for key in world.aws.iam.keys.values() if key.session_token]
    made = {f"key of session {number}": key.secret for number, key in enumerate(sessions)}
    made |= {f"token of session {number}": key.session_token for number, key in enumerate(sessions)}
    made |= {f"Google token {number}": token for number, token in enumerate(sorted(world.google.tokens.seen))}
    return {**made, "EKS token": "k8s-aws-v1.", "Google token": "ya29."}


def client_certificate() -> tuple[bytes, bytes]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "canary")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(pem), secret
