"""Imports aiohttp without the certificates of the system, which it reads whenever it is imported:
twenty to forty milliseconds of the start. No connection uses them: `open_session` gives each the
certificates of the configured network. One that did would trust nobody.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

# What reads them, for a context that verifies and for one that does not.
READERS = ("load_default_certs", "set_default_verify_paths")


@contextmanager
def _without_system_certificates() -> Iterator[None]:
    readers = {name: getattr(ssl.SSLContext, name) for name in READERS}
    for name in READERS:
        setattr(ssl.SSLContext, name, lambda *_: None)
    try:
        yield
    finally:
        for name, reader in readers.items():
            setattr(ssl.SSLContext, name, reader)


with _without_system_certificates():
    import aiohttp  # noqa: F401
