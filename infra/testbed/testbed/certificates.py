"""The testbed's certificate authorities, and what they issue."""

from __future__ import annotations

import ipaddress
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_DAYS = 365


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A certificate and its private key, as PEM."""

    certificate: bytes
    key: bytes

    def write(self, folder: Path, name: str) -> None:
        """Write NAME.crt and NAME.key; the key is for root's eyes only."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / f"{name}.crt").write_bytes(self.certificate)
        write_key(folder / f"{name}.key", self.key)


@dataclass(frozen=True, kw_only=True)
class Authority:
    """A certificate authority that lives in two files."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def create(cls, folder: Path, name: str) -> Authority:
        """Make an authority and write NAME.crt and NAME.key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"multicluster-testbed-{name}")])
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True,
            content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        builder = draft(subject, subject, key.public_key()).add_extension(usage, critical=True)
        certificate = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(
            key, hashes.SHA256()
        )
        Pair(certificate=certificate.public_bytes(Encoding.PEM), key=pem(key)).write(folder, name)
        return cls(certificate=certificate, key=key)

    @classmethod
    def load(cls, folder: Path, name: str) -> Authority:
        """Read an authority that was made before."""
        key = load_pem_private_key((folder / f"{name}.key").read_bytes(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)  # noqa: S101  -- create() made it
        return cls(certificate=x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes()), key=key)

    def issue(self, user: str, *, groups: Sequence[str] = (), names: Sequence[str] = ()) -> Pair:
        """Issue a certificate for a client (its CN is the user, each O a group), and for a server at *names* too."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name(
            [*(attribute(NameOID.ORGANIZATION_NAME, group) for group in groups), attribute(NameOID.COMMON_NAME, user)]
        )
        uses = [ExtendedKeyUsageOID.CLIENT_AUTH, *([ExtendedKeyUsageOID.SERVER_AUTH] if names else [])]
        builder = draft(subject, self.certificate.subject, key.public_key())
        builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([alternative(n) for n in names]), critical=False
            )
        certificate = builder.sign(self.key, hashes.SHA256())
        return Pair(certificate=certificate.public_bytes(Encoding.PEM), key=pem(key))


def draft(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey
) -> x509.CertificateBuilder:
    """Begin a certificate that is valid from an hour ago, for clocks that differ."""
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=VALID_DAYS))
    )


def attribute(kind: x509.ObjectIdentifier, text: str) -> x509.NameAttribute[str]:
    """Write a user or a group; X.509 allows 64 characters, Kubernetes any number: ``system:node:`` and 63 are 75."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it warns of what it was told not to refuse
        return x509.NameAttribute(kind, text, _validate=False)


def alternative(name: str) -> x509.GeneralName:
    """Write a server's name as the address or the host name that it is."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def write_signing_key(path: Path) -> None:
    """Make the RSA key that signs service account tokens, as EKS and GKE do it."""
    write_key(path, pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)))


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    """Write a private key as Go's TLS reads it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def write_key(path: Path, data: bytes) -> None:
    """Write a file that nobody else could read at any moment."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(data)
