"""deviceWISE's stand-in on loopback, and a client for it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from providers.devicewise.client import DeviceWise
from providers.devicewise.sandbox import DeviceWiseSandbox
from tests.providers.devicewise.support import client_of


@pytest.fixture
async def server() -> AsyncIterator[DeviceWiseSandbox]:
    sandbox = DeviceWiseSandbox()
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


@pytest.fixture
async def iot(server: DeviceWiseSandbox) -> AsyncIterator[DeviceWise]:
    client = client_of(server)
    yield client
    await client.aclose()
