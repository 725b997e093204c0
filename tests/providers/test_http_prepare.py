"""Modules that the first request to a vendor would load on the event loop are loaded before it."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT

PROGRAM = """
import asyncio, sys, threading
from providers.errors import Unavailable
from providers.http import client

preparing = threading.Thread(target=client.prepare)
preparing.start()
preparing.join()

async def main():
    async with client.open_client("http://127.0.0.1:1", account="kitchen") as account:
        before = set(sys.modules)
        try:
            await client.fetch(account, lambda: account.build_request("GET", "/"), account="kitchen")
        except Unavailable:
            print("loaded", sorted(name for name in set(sys.modules) - before if "anyio" in name))

asyncio.run(main())
"""


def test_first_request_loads_no_backend() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "loaded []\n"
