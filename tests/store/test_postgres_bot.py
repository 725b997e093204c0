"""The real bot on a PostgreSQL server."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.config import parse_settings
from bot.errors import ConfigError
from bot.sandbox.sandbox import Sandbox
from bot.store import Post
from providers.clock import utc_now
from providers.redaction import Secret
from tests.conftest import connected_bot


async def test_bot_answers_and_posts_from_postgres(
    sandbox: Sandbox, location: Path | Secret, request: pytest.FixtureRequest
) -> None:
    if isinstance(location, Path):
        pytest.skip("every other test runs on SQLite")
    (sandbox.folder / "database-url").write_text(location.open())
    async with connected_bot(sandbox, database="file:database-url") as bot:
        answer = await sandbox.slack.answer_to("/usage last 7 days")
        assert "rapid7-eu" in answer.text
        await bot.store.outbox.enqueue(Post("k", "#ops", "from PostgreSQL", []), now=utc_now())
        bot.outbox.wake()
        await sandbox.slack.until(
            lambda: any(m.text == "from PostgreSQL" for m in sandbox.slack.messages)
        )
        # The outcome is saved after the answer has been sent.
        async with asyncio.timeout(30):
            while [each.outcome for each in await bot.store.questions.latest()] != ["answered"]:
                await asyncio.sleep(0.02)
        assert await bot.store.problem() == ""
    assert not (sandbox.folder / "bot.sqlite").exists()


def test_dead_connection_is_noticed() -> None:
    """A machine that is switched off does not close its connections. Settings in the URL take
    precedence.
    """
    connection = pytest.importorskip("bot.store.postgres.connection")
    database = connection.PostgresDatabase("postgresql://db/x?keepalives_idle=60")
    settings = database._pool.kwargs
    assert "keepalives_idle" not in settings
    assert settings["keepalives_interval"] * settings["keepalives_count"] < 15
    assert settings["tcp_user_timeout"] <= 15_000
    assert settings["connect_timeout"] == 5


def test_database_url_is_a_secret(tmp_path: Path) -> None:
    url = "postgresql://bot:hunter2@db/opswatch"
    settings = parse_settings(
        {"database": "env:DATABASE_URL"}, folder=tmp_path, environ={"DATABASE_URL": url}
    )
    assert isinstance(settings.database, Secret)
    assert settings.database.open() == url
    assert settings.database in settings.secrets()
    assert "hunter2" not in repr(settings)


def test_written_out_database_url_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_settings(
            {"database": "postgresql://bot:hunter2@db/opswatch"}, folder=tmp_path, environ={}
        )
    [problem] = raised.value.problems
    assert problem.key == "database"
    assert "env:DATABASE_URL" in str(problem)
    assert "hunter2" not in str(problem)
