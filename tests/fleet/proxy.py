"""The proxy in front: nginx with the configuration of `deploy/nginx`, and a certificate for it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Template

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.fleet.parts import Part, nginx
from tests.ministack import free_port
from tests.servers.environment import PROJECT

TEMPLATE = PROJECT / "deploy" / "nginx" / "gatehouse.conf.template"
# What stands around the template on a real host, with every path in a directory of its own. `user` counts for root
# only: whom root would hand over to could not read that directory.
MAIN = """
daemon off;
user root;
worker_processes 2;
pid {directory}/nginx.pid;
error_log {directory}/nginx-error.log notice;
events {{ worker_connections 1024; }}
http {{
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    include {directory}/site.conf;
}}
"""
# Longer than the longest request of somebody who is served by a host that leaves.
DRAIN_SECONDS = 60.0


class Proxy(Part):
    """nginx, for the site https://localhost:PORT; `route` says which hosts serve it."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory / "nginx.log")
        self.directory = directory
        self.port, self.plain_port = free_port(), free_port()
        self.certificate = directory / "tls.crt"

    @property
    def site_url(self) -> str:
        return f"https://localhost:{self.port}"

    def start(self, servers: str = "server 127.0.0.1:9;") -> None:
        """Listen, at first without any host that answers."""
        make_certificate(self.certificate, self.directory / "tls.key")
        (self.directory / "nginx.conf").write_text(MAIN.format(directory=self.directory))
        self._write(servers)
        errors = str(self.directory / "nginx-error.log")
        self._run([nginx(), "-p", str(self.directory), "-c", "nginx.conf", "-e", errors])
        self._await_port(self.port)

    def route(self, ports: Sequence[int]) -> None:
        """Ask the hosts on these ports from now on; return once the last request to others is answered."""
        old = self._children()
        self._write("\n".join(f"server 127.0.0.1:{port} max_fails=2 fail_timeout=5s;" for port in ports))
        os.kill(self.pid, signal.SIGHUP)
        deadline = time.monotonic() + DRAIN_SECONDS
        while not (now := self._children()) or now & old:
            if time.monotonic() > deadline:
                errors = (self.directory / "nginx-error.log").read_text(errors="replace")
                raise RuntimeError(f"nginx does not take the new hosts:\n{errors[-3000:]}")
            time.sleep(0.05)

    def _write(self, servers: str) -> None:
        blanks = {
            "SERVER_NAME": "localhost",
            "LISTEN_TLS": f"127.0.0.1:{self.port}",
            "LISTEN_PLAIN": f"127.0.0.1:{self.plain_port}",
            "CERTIFICATE": str(self.certificate),
            "CERTIFICATE_KEY": str(self.directory / "tls.key"),
            "APP_SERVERS": servers,
        }
        # safe_substitute leaves nginx's own $variables alone, as envsubst does with a list of names.
        (self.directory / "site.conf").write_text(Template(TEMPLATE.read_text()).safe_substitute(blanks))

    def _children(self) -> set[int]:
        listing = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        pairs = (line.split() for line in listing.splitlines())
        return {int(pid) for pid, parent in pairs if int(parent) == self.pid}


def make_certificate(certificate: Path, key_file: Path) -> None:
    """Write a certificate for localhost that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate.write_bytes(signed.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
