"""The mock upstream behind TLS: nginx on the load's core, with a certificate that is made for the run."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tests.bench.figures import LOAD_CORE
from tests.bench.processes import running
from tests.ports import free_port

NGINX = """daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log /dev/null;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  keepalive_requests 1000000000; ssl_certificate {certificate}; ssl_certificate_key {key};
  {servers}
}}
"""
SERVER = """
  upstream models{upstream} {{ server 127.0.0.1:{upstream}; keepalive 256; }}
  server {{
    listen 127.0.0.1:{port} ssl;
    location / {{
      proxy_pass http://models{upstream}; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
    }}
  }}
"""


class Front(msgspec.Struct, frozen=True):
    """Where TLS is spoken for each upstream port, and the file with the certificate to trust."""

    ports: dict[int, int]
    certificate: Path


@contextmanager
def spoken_for(nginx: str, folder: Path, *upstreams: int) -> Iterator[Front]:
    """TLS in front of each of these ports. Raises SystemExit where there is no openssl to make a certificate."""
    home = folder / "tls"
    home.mkdir()
    certificate, key = _self_signed(home)
    ports = {upstream: free_port() for upstream in upstreams}
    servers = "".join(SERVER.format(upstream=upstream, port=port) for upstream, port in ports.items())
    written = NGINX.format(folder=home, certificate=certificate, key=key, servers=servers)
    (home / "nginx.conf").write_text(written)
    with running([nginx, "-c", str(home / "nginx.conf"), "-p", str(home)], core=LOAD_CORE):
        yield Front(ports, certificate)


def _self_signed(folder: Path) -> tuple[Path, Path]:
    openssl = shutil.which("openssl")
    if openssl is None:
        raise SystemExit("The benchmark makes its certificate with openssl, which is not installed.")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    places = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([openssl, "req", "-x509", *made, *places], check=True, capture_output=True)
    return certificate, key
