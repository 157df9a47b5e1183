"""Check where a kubeconfig's cluster leads, and whether it is verified."""

from __future__ import annotations

from urllib.parse import urlsplit

from multicluster.kinds.kubeconfig.entry import Entry

PROXIES = ("http", "https", "socks5", "socks5h")


def server(cluster: Entry) -> str:
    """Return the API server's URL, without a slash at its end. Raises AccessError, which does not quote it."""
    url = cluster.text("server")
    if url is None:
        raise cluster.refuse("server", "is missing")
    return _checked(cluster, "server", url, ("https", "http")).rstrip("/")


def proxy(cluster: Entry) -> str | None:
    """Return the proxy's URL, None without one. Raises AccessError, which does not quote it."""
    url = cluster.text("proxy-url")
    return None if url is None else _checked(cluster, "proxy-url", url, PROXIES)


def verified(cluster: Entry) -> bool:
    """Return whether the server must show a certificate of its CA. As kubectl: a CA that nobody looks at is refused."""
    skipped = cluster.flag("insecure-skip-tls-verify")
    named = [key for key in ("certificate-authority-data", "certificate-authority") if cluster.text(key)]
    if skipped and named:
        raise cluster.refuse("insecure-skip-tls-verify", f"excludes {named[0]}; remove one of the two")
    return not skipped


def _checked(cluster: Entry, key: str, url: str, schemes: tuple[str, ...]) -> str:
    known = " or ".join(f"{scheme}://" for scheme in schemes[:2])
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError:
        raise cluster.refuse(key, "is no URL: its host or port cannot be read") from None
    if parts.scheme not in schemes or not parts.hostname:
        raise cluster.refuse(key, f"must begin with {known} and a host")
    if not url.isprintable() or " " in url:
        raise cluster.refuse(key, "holds white space")
    if key == "server" and "@" in parts.netloc:
        raise cluster.refuse(key, "holds a user name; name the user under users")
    return url
