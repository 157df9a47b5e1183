"""Certificates of the world: made in memory, good for 127.0.0.1 only as long as the world runs."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import tempfile
from collections.abc import Callable, Iterable

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFETIME = dt.timedelta(days=30)
_CA_USAGE = ("digital_signature", "key_cert_sign", "crl_sign")
_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


class CertificateAuthority:
    """A CA with its key in memory. Certificates satisfy OpenSSL's strict X.509 checks (Python 3.13's default)."""

    def __init__(self, name: str = "simulator") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} CA")])
        self._certificate = self._self_signed()

    @property
    def pem(self) -> bytes:
        """The CA's certificate in PEM."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def server_context(self, names: Iterable[str] = ()) -> ssl.SSLContext:
        """Return a server's TLS context with a new certificate for 127.0.0.1, localhost and the DNS names given."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.num_tickets = 0  # a resumed session would outlive a rotated certificate
        self.renew(context, names)
        return context

    def answer_as(self, context: ssl.SSLContext, plays: Callable[[str], bool]) -> None:
        """Let a context in use show a certificate of their own to those who ask for another name that it plays."""
        known: dict[str, ssl.SSLContext] = {}

        def choose(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _context: ssl.SSLContext) -> None:
            if name is not None and plays(name):
                if name not in known:
                    known[name] = self.server_context([name])
                connection.context = known[name]

        context.sni_callback = choose

    def renew(self, context: ssl.SSLContext, names: Iterable[str] = ()) -> None:
        """Load a new certificate of this CA into a context in use: from now on, new connections see it."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._issue(key, names)
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:  # OpenSSL takes paths only; mode 0600, gone at once
            file.write(_private_pem(key) + certificate.public_bytes(serialization.Encoding.PEM))
            file.flush()
            context.load_cert_chain(file.name)

    def _self_signed(self) -> x509.Certificate:
        builder = self._builder(self._name, self._key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_key_usage(_CA_USAGE), critical=True)
        return builder.sign(self._key, hashes.SHA256())

    def _issue(self, key: ec.EllipticCurvePrivateKey, names: Iterable[str]) -> x509.Certificate:
        alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in ("localhost", *names)]
        alternatives.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "simulator")])
        builder = self._builder(subject, key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(("digital_signature",)), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)  # TLS peers read the machine's clock, whatever clock the world has
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + _LIFETIME)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(issuer, critical=False)
        )


def _key_usage(usages: Iterable[str]) -> x509.KeyUsage:
    wanted = set(usages)
    return x509.KeyUsage(**{usage: usage in wanted for usage in _USAGES})


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
