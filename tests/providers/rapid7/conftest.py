"""Rapid7's stand-in on loopback, and a client for it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from providers.rapid7.client import Rapid7
from providers.rapid7.sandbox import Rapid7Sandbox
from providers.redaction import Secret


@pytest.fixture
async def server() -> AsyncIterator[Rapid7Sandbox]:
    sandbox = Rapid7Sandbox()
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


@pytest.fixture
async def rapid7(server: Rapid7Sandbox) -> AsyncIterator[Rapid7]:
    client = Rapid7("rapid7-eu", base_url=server.url, api_key=Secret(server.api_key))
    yield client
    await client.aclose()
