"""aiohttp is imported without the system's certificates, and trusts none by default."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT

PROGRAM = """
import ssl
readers = [ssl.SSLContext.load_default_certs, ssl.SSLContext.set_default_verify_paths]
import bot.runtime
from aiohttp import connector

verified = connector._SSL_CONTEXT_VERIFIED
print(verified.cert_store_stats()["x509_ca"], verified.verify_mode.name, verified.check_hostname)
print(connector._SSL_CONTEXT_UNVERIFIED.cert_store_stats()["x509_ca"])
print([ssl.SSLContext.load_default_certs, ssl.SSLContext.set_default_verify_paths] == readers)
"""


def test_start_reads_no_system_certificates() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["0", "CERT_REQUIRED", "True", "0", "True"]
