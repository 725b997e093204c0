"""Akamai's stand-in on loopback, and a client for it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from providers.akamai.client import Akamai
from providers.akamai.sandbox import AkamaiSandbox
from tests.providers.akamai.support import client_of


@pytest.fixture
async def server() -> AsyncIterator[AkamaiSandbox]:
    sandbox = AkamaiSandbox()
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


@pytest.fixture
async def edge(server: AkamaiSandbox) -> AsyncIterator[Akamai]:
    client = client_of(server)
    yield client
    await client.aclose()
