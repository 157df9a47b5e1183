"""Build the trust of a connection in memory."""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from multicluster.access.endpoint import Endpoint
from multicluster.errors import AccessError, CredentialError


def ssl_context(endpoint: Endpoint, *, name: str) -> ssl.SSLContext:
    """Return a client context for *endpoint*; *name* is the cluster's, for errors.

    Where the CA is None, and only there, it trusts the machine's public CAs, as ``SSL_CERT_FILE`` and ``SSL_CERT_DIR``
    say. Raises AccessError for a CA or client certificate that cannot be used, CredentialError for an encrypted key.
    """

    def refuse() -> NoReturn:  # without it, OpenSSL would ask the terminal
        raise CredentialError(
            f"cluster {name!r}: its client key is encrypted and nobody can be asked for the password; "
            "decrypt it (openssl pkey -in KEY -out NEW), or use another way to authenticate"
        )

    try:
        context = _trusting(endpoint.ca_pem)
        if endpoint.client_certificate_pem is not None:
            with _certificate_file(endpoint) as path:
                context.load_cert_chain(path, password=refuse)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise AccessError(f"cluster {name!r}: its CA or client certificate is no usable PEM: {error}") from error
    if not endpoint.verify_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _trusting(ca_pem: bytes | None) -> ssl.SSLContext:
    if ca_pem is None:
        return ssl.create_default_context()
    if not ca_pem.strip():
        raise ValueError("the CA is empty")
    context = ssl.create_default_context(cadata=ca_pem.decode())
    # Python 3.13 refuses CAs without a key identifier; Go, and so every cluster's CA, never asked for one.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


@contextmanager
def _certificate_file(endpoint: Endpoint) -> Iterator[str]:
    """Show certificate and key under the path that ``ssl`` wants: on Linux in memory, elsewhere briefly on disk."""
    pem = b"\n".join((endpoint.client_certificate_pem or b"", endpoint.client_key_pem or b""))
    if hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("client-certificate"), "wb") as memory:
            memory.write(pem)
            memory.flush()
            yield f"/proc/self/fd/{memory.fileno()}"
    else:
        with tempfile.NamedTemporaryFile() as file:
            file.write(pem)
            file.flush()
            yield file.name
