"""A registry that holds the testbed's images and nothing else; a process of its own.

Nodes ask it for every image, whatever registry its name begins with: a pull succeeds or is refused as it would be on
the net (OCI distribution specification, the reading half), and no pull leaves the machine.
"""

from __future__ import annotations

import json
import re
import sys
import tarfile
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from testbed.images import MANIFEST

ASKED = re.compile(r"/v2/(?P<image>[^?]+)/(?P<kind>manifests|blobs)/(?P<reference>[^?]+)")


@dataclass(frozen=True, kw_only=True)
class Store:
    """What an archive of ``images.archive`` holds."""

    blobs: dict[str, bytes]
    names: dict[str, str]

    @classmethod
    def read(cls, archive: Path) -> Store:
        """Read all of it into memory: some three megabytes."""
        with tarfile.open(archive) as packed:
            files = {entry.name: file.read() for entry in packed if (file := packed.extractfile(entry))}
        index = json.loads(files["index.json"])["manifests"]
        names = {one["annotations"]["io.containerd.image.name"].partition("/")[2]: one["digest"] for one in index}
        blobs = {f"sha256:{Path(name).name}": data for name, data in files.items() if name.startswith("blobs/")}
        return cls(blobs=blobs, names=names)

    def find(self, image: str, kind: str, reference: str) -> tuple[str, bytes] | None:
        """Find what is asked for, with its digest; a manifest has a tag or a digest, a blob a digest."""
        known = {name.partition(":")[0] for name in self.names}
        digest = self.names.get(f"{image}:{reference}", reference) if kind == "manifests" else reference
        return (digest, self.blobs[digest]) if image in known and digest in self.blobs else None


def server(port: int, store: Store) -> ThreadingHTTPServer:
    """Make a server for *store* on 127.0.0.1; the caller starts it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Answer with what was asked for, or why not."""
            asked = ASKED.match(self.path)
            if not asked:
                known = self.path.rstrip("/") == "/v2"
                self.answer(HTTPStatus.OK if known else HTTPStatus.NOT_FOUND, "application/json", b"{}")
            elif found := store.find(**asked.groupdict()):
                kind = MANIFEST if asked["kind"] == "manifests" else "application/octet-stream"
                self.answer(HTTPStatus.OK, kind, found[1], digest=found[0])
            else:
                code = "MANIFEST_UNKNOWN" if asked["kind"] == "manifests" else "BLOB_UNKNOWN"
                body = json.dumps({"errors": [{"code": code, "message": f"{asked['image']} is not known"}]})
                self.answer(HTTPStatus.NOT_FOUND, "application/json", body.encode())

        do_HEAD = do_GET  # noqa: N815  -- the library's names

        def answer(self, status: HTTPStatus, kind: str, body: bytes, *, digest: str = "") -> None:
            """Send an answer; to HEAD without its body."""
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if digest:
                self.send_header("Docker-Content-Digest", digest)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


if __name__ == "__main__":
    server(int(sys.argv[1]), Store.read(Path(sys.argv[2]))).serve_forever()
