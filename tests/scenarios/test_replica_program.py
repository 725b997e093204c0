"""Three replicas, of which two are killed and one is paused, on a database that is unavailable for
a while.

`make test-replicas` runs the same for longer, more often, and with a slow Slack.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.sandbox.sandbox import Sandbox
from tests.replicas.cluster import PostgresOn, SqliteFile, StoppableDatabase
from tests.replicas.program import SHORT, run
from tests.support.postgres import open_server, why_not

# The lease of the short plan lasts four seconds.
TOLD_WITHIN_S = 20.0


@pytest.fixture(params=["sqlite", "postgres"])
def stoppable(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoppableDatabase]:
    if request.param == "sqlite":
        yield SqliteFile(tmp_path / "bot.sqlite")
        return
    if reason := why_not():
        pytest.skip(reason)
    with open_server() as server:
        yield PostgresOn.create(server)


async def test_replicas_lose_and_double_nothing(
    sandbox: Sandbox, stoppable: StoppableDatabase
) -> None:
    outcome = await run(sandbox, stoppable, SHORT)
    assert outcome.faults == []
    assert outcome.messages > 40
    assert outcome.reported_after_s is not None
    assert outcome.reported_after_s < TOLD_WITHIN_S
