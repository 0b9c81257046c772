"""Certificates made on the spot: an authority, and a server certificate for 127.0.0.1 and venue.test that it signed."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

_CONFIG = """
[req]
distinguished_name = name
prompt = no
[name]
CN = exwire test
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:venue.test, IP:127.0.0.1
"""


class TlsFiles(NamedTuple):
    """authority: the file that makes the server's certificate trusted, as SSL_CERT_FILE; server: a context for 127.0.0.1 and venue.test."""

    authority: Path
    server: ssl.SSLContext


def make_tls_files(folder: Path) -> TlsFiles:
    """Make the files with the openssl command; skips the test where there is none."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the openssl command is not installed, so there is no certificate to test with")
    (folder / "cnf").write_text(_CONFIG)
    for name in ("authority", "server"):
        _run(folder, openssl, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")
        _run(folder, openssl, "req", "-new", "-config", "cnf", "-key", f"{name}.key", "-out", f"{name}.csr")
    sign = (openssl, "x509", "-req", "-days", "2", "-extfile", "cnf", "-extensions")
    _run(folder, *sign, "authority", "-in", "authority.csr", "-signkey", "authority.key", "-out", "authority.pem")
    signer = ("-CA", "authority.pem", "-CAkey", "authority.key", "-set_serial", "2")
    _run(folder, *sign, "server", "-in", "server.csr", *signer, "-out", "server.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return TlsFiles(folder / "authority.pem", context)


def _run(folder: Path, *command: str) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
