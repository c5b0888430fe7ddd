"""A certificate has to be the one of the name in the address, though the call goes to a number."""

import datetime as dt
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typing_extensions import override

from tuneway.adapters.https_calls import Reach
from tuneway.adapters.https_files import HttpsFiles
from tuneway.errors import NotAllowed

NAME = "data.example"


def certificate(folder: Path, name: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = self.headers["host"].encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@contextmanager
def served(path: Path) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def read(path: Path, uri: str) -> bytes:
    trust = ssl.create_default_context(cafile=str(path))
    reach = Reach(private=True, resolve=lambda _h, _p: ["127.0.0.1"], verify=trust, wait=lambda _: None)
    with HttpsFiles(reach).read(uri) as file:
        return file.read()


def test_the_name_is_what_is_checked_and_sent(tmp_path: Path) -> None:
    path = certificate(tmp_path, NAME)
    with served(path) as port:
        assert read(path, f"https://{NAME}:{port}/rows") == f"{NAME}:{port}".encode()


def test_the_certificate_of_another_name_is_refused(tmp_path: Path) -> None:
    path = certificate(tmp_path, "other.example")
    with served(path) as port, pytest.raises(NotAllowed, match="certificate"):
        read(path, f"https://{NAME}:{port}/rows")
