"""Each vendor in turn, for tests that apply to all."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.vendors import VENDORS, Vendor, rapid7_vendor


@pytest.fixture(params=VENDORS)
async def vendor(request: pytest.FixtureRequest) -> AsyncIterator[Vendor]:
    async with VENDORS[request.param]() as opened:
        yield opened


@pytest.fixture
async def rapid7() -> AsyncIterator[Vendor]:
    async with rapid7_vendor() as opened:
        yield opened
