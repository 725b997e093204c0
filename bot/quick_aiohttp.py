"""Imports aiohttp without the certificates of the system, which it reads whenever it is imported:
twenty to forty milliseconds of the start. No connection uses them: `open_session` gives each the
certificates of the configured network. One that did would trust nobody.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _without_system_certificates() -> Iterator[None]:
    load = ssl.SSLContext.load_default_certs
    ssl.SSLContext.load_default_certs = lambda *_: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        ssl.SSLContext.load_default_certs = load  # type: ignore[method-assign]


with _without_system_certificates():
    import aiohttp  # noqa: F401
