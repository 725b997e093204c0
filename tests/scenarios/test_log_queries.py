"""Questions about a log that its provider answers without a download: in chat, form, terminal, digest,
alert and backtest.
"""

from __future__ import annotations

import asyncio
import html
import itertools
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from bot.blocks import limits
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import BOT, Message
from providers.rapid7 import query
from tests.conftest import Run, connected_bot
from tests.scenarios.test_calls import lines_of, table
from tests.support.alerts import evaluated, evaluations, messages, posted_texts, running
from tests.support.clock import MovableClock
from tests.support.inert import HOSTILE, complaints

pytestmark = pytest.mark.usefixtures("before_noon")

# Every tenth line has failed; a third of all is about the menu.
PATHS = ("/menu", "/orders", "/login")
SECRET = "hunter2-of-the-kitchen"


def every_minute(key: str, start: datetime, end: datetime) -> Iterator[str]:
    """One line per minute, numbered by the minutes since 1970, so that the result for any window
    can be computed.
    """
    first = -(-int(start.timestamp()) // 60)
    for minute in itertools.count(first):
        at = datetime.fromtimestamp(minute * 60, UTC)
        if at >= end:
            return
        status = 500 if minute % 10 == 0 else 200
        level = "ERROR" if status == 500 else "INFO"
        yield (
            f"{at:%Y-%m-%dT%H:%M:%SZ} {level} web path={PATHS[minute % 3]} status={status} "
            f"duration={minute % 10} password={SECRET}"
        )


@pytest.fixture(autouse=True)
def fast_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query, "FIRST_POLL_S", 0.0)
    monkeypatch.setattr(query, "FOLLOW_EVERY_S", 0.01)


@pytest.fixture
def sandbox(sandbox: Sandbox) -> Sandbox:
    sandbox.rapid7.lines = every_minute
    return sandbox


def kinds(message: Message) -> list[str]:
    return [block["type"] for block in message.blocks]


def header(message: Message) -> str:
    return str(message.blocks[0]["text"]["text"])


def downloads(sandbox: Sandbox) -> list[str]:
    return [path for path in sandbox.rapid7.paths() if "/download/" in path]


async def pressed(sandbox: Sandbox, answer: Message, label: str) -> Message:
    """The answer to the question of a button."""
    action = next(
        element["action_id"]
        for block in answer.blocks
        if block["type"] == "actions"
        for element in block["elements"]
        if element["text"]["text"] == label
    )
    before = answer.text

    def answered() -> Message | None:
        found = [m for m in sandbox.slack.seen() if m.ts >= answer.ts and m.text != before]
        return next((m for m in reversed(found) if not m.text.startswith("Working on")), None)

    await sandbox.slack.press(answer, action)
    found: Message = await sandbox.slack.until(answered, timeout_s=30)
    return found


HOURS = "2026-01-05T10:00..2026-01-05T14:00"


@pytest.mark.usefixtures("bot")
async def test_count_is_answered_without_a_download(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to(f"/logs kitchen {HOURS} where(status>=500) count")
    assert answer.text.startswith("kitchen: 24 lines – ")
    assert "Only lines that match where(status>=500)." in html.unescape(answer.text)
    assert header(answer) == "24 lines"
    assert "data_visualization" in kinds(answer)
    assert downloads(sandbox) == []
    assert "The file is" not in answer.text
    assert limits.message_problems(answer.text, answer.blocks) == []


@pytest.mark.usefixtures("bot")
async def test_groups_have_chart_table_and_rest(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to(f"/logs kitchen {HOURS} groupby(path) top 2")
    assert header(answer) == "240 lines"
    head, *rows = table(answer, "By path")
    assert head == ["path", "Lines", "Share"]
    assert [row[1:] for row in rows] == [["80", "33.3 %"]] * 2
    assert "Not in these groups: 80 (33.3 %)." in answer.text
    assert kinds(answer).count("data_visualization") == 1
    assert limits.message_problems(answer.text, answer.blocks) == []


@pytest.mark.usefixtures("bot")
async def test_slices_are_drawn_and_listed(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to(f"/logs kitchen {HOURS} count timeslice 1h")
    head, *rows = table(answer, "Over time")
    assert head[1] == "Lines"
    assert [row[1] for row in rows] == ["60"] * 4
    assert "By 60 min" in answer.text or "By 1 h" in answer.text


@pytest.mark.usefixtures("bot")
async def test_groups_over_time_share_a_chart(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to(f"/logs kitchen {HOURS} by path timeslice 2h")
    [chart] = [block for block in answer.blocks if block["type"] == "data_visualization"]
    series = chart["chart"]["series"]
    assert len(series) == 3
    assert [point["value"] for point in series[0]["data"]] == [40, 40]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("calculate(average:duration)", "4.5 average duration"),
        ("max:duration", "9 maximum duration"),
        ("sum:duration", "1,080 sum of duration"),
        ("unique path", "3 unique values of path"),
        ("p90:duration", "8 p90 duration"),
        ('where(path="/nowhere") count', "No lines"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("bot")
async def test_number_comes_first(sandbox: Sandbox, words: str, shown: str) -> None:
    answer = await sandbox.slack.answer_to(f"/logs kitchen {HOURS} {words}")
    assert header(answer) == shown
    assert answer.text.startswith(f"kitchen: {shown} – ")


@pytest.mark.usefixtures("bot")
async def test_button_of_a_group_opens_its_lines(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to(
        f"/logs kitchen {HOURS} where(status>=500) groupby(path) top 2"
    )
    line = lines_of(answer)["Lines: /menu"]
    assert line == f'/logs kitchen {HOURS} where((status>=500) AND path="/menu") newest 20'
    lines = await pressed(sandbox, answer, "Lines: /menu")
    assert lines.text.startswith("kitchen: 8 lines")
    assert "path=/orders" not in lines.text
    assert SECRET not in lines.text


@pytest.mark.usefixtures("bot")
async def test_button_of_a_bar_opens_its_lines(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to(
        f"/logs kitchen {HOURS} where(status>=500) count timeslice 2h"
    )
    label, line = next(
        (label, line) for label, line in lines_of(answer).items() if label.startswith("Lines from")
    )
    assert line == (
        "/logs kitchen 2026-01-05T10:00:00Z..2026-01-05T12:00:00Z where(status>=500) newest 20"
    )
    lines = await pressed(sandbox, answer, label)
    assert lines.text.startswith("kitchen: 12 lines")


@pytest.mark.usefixtures("bot")
async def test_newest_lines_are_shown_and_attached(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to(f"/logs kitchen {HOURS} newest 5")
    assert header(answer).startswith("The newest 5 lines")
    assert "2026-01-05T13:59:00Z" in answer.text
    assert "2026-01-05T13:54:00Z" not in answer.text
    assert "The window has more lines." in answer.text
    assert SECRET not in json.dumps(answer.blocks)
    assert downloads(sandbox) == []


@pytest.mark.usefixtures("bot")
async def test_oldest_lines_of_two_logs(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to(f"/logs kitchen,cellar {HOURS} oldest 4")
    assert answer.text.count("2026-01-05T10:00:00Z") == 2
    assert answer.text.count("2026-01-05T10:01:00Z") == 2


@pytest.mark.usefixtures("bot")
async def test_level_filters_downloads_and_queries(sandbox: Sandbox) -> None:
    counted = await sandbox.slack.answer_to(f"/logs kitchen {HOURS} level:error count")
    assert header(counted) == "24 lines"
    file = await sandbox.slack.answer_to("/logs kitchen yesterday 10:00 to 14:00 level:error")
    assert file.text.startswith("kitchen: 24 lines")
    assert len(downloads(sandbox)) == 1
    assert "Only lines that match level:error." in file.text


@pytest.mark.usefixtures("bot")
async def test_list_names_logs_with_sizes(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/logs list")
    head, *rows = table(answer, "Logs")
    assert head == ["Log", "Last 7 days (UTC)", "Kept"]
    assert [row[0] for row in rows] == ["kitchen", "cellar", "Pantry Door"]
    assert rows[0][2] == "1 month"
    assert lines_of(answer)["Pantry Door"] == '/logs "Pantry Door"'
    assert "ingest-" not in answer.text
    assert limits.message_problems(answer.text, answer.blocks) == []


@pytest.mark.usefixtures("bot")
async def test_list_without_sizes_still_lists(sandbox: Sandbox) -> None:
    sandbox.rapid7.answer_with(403, "{}", path="/usage/organizations/logs", times=9)
    answer = await sandbox.slack.answer_to("/logs list")
    head, *rows = table(answer, "Logs")
    assert head == ["Log", "Kept"]
    assert len(rows) == 3
    assert "Log sizes in rapid7-eu are unavailable" in answer.text


@pytest.mark.usefixtures("bot")
async def test_log_list_needs_permission(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/logs list", user="U0LINUS", channel="C0KITCHEN")
    assert answer.seen_by == "U0LINUS"
    assert "kitchen" not in answer.text.replace("#kitchen", "")
    assert downloads(sandbox) == []
    assert sandbox.rapid7.paths() == []


@pytest.mark.usefixtures("bot")
async def test_rejected_query_shows_reason_and_example(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/logs kitchen 2h where(status>>500) count")
    assert answer.text.startswith("rapid7-eu does not accept the query: ")
    assert "Try /logs kitchen 2h where(status>=500) count" in html.unescape(answer.text)


@pytest.mark.usefixtures("bot")
async def test_follow_shows_lines_then_a_file(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.commands.logs.words.SHORTEST_FOLLOW", timedelta(seconds=1))
    monkeypatch.setattr("handlers.shown_work.EDIT_EVERY_S", 0.05)
    monkeypatch.setattr("handlers.shown_work.SHOW_WORK_AFTER_S", 0.05)
    started = datetime.now(UTC)
    # A minute of the log passes in a tenth of a second.
    sandbox.rapid7.now = lambda: started + (datetime.now(UTC) - started) * 600
    await sandbox.slack.command("/logs kitchen follow 3s")
    progress = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if "path=/" in json.dumps(m.blocks)), None)
    )
    assert "Cancel" in lines_of(progress)
    assert SECRET not in json.dumps(progress.blocks)
    done = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if "The file is" in m.text), None),
        timeout_s=60,
    )
    assert "from now" in done.text
    assert "Follow again" in lines_of(done)
    assert SECRET not in done.text


@pytest.mark.usefixtures("bot")
async def test_follow_can_be_cancelled(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.shown_work.EDIT_EVERY_S", 0.05)
    monkeypatch.setattr("handlers.shown_work.SHOW_WORK_AFTER_S", 0.05)
    await sandbox.slack.command("/logs kitchen follow")
    progress = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if "Cancel" in lines_of(m)), None)
    )
    await sandbox.slack.press(progress, "cancel")
    await sandbox.slack.until(lambda: any("Cancelled" in m.text for m in sandbox.slack.seen()))


async def test_follow_ends_when_access_is_lost(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.shown_work.EDIT_EVERY_S", 0.05)
    monkeypatch.setattr("handlers.shown_work.SHOW_WORK_AFTER_S", 0.05)
    monkeypatch.setattr("handlers.shown_work.CHECK_ACCESS_EVERY_S", 0.05)
    sandbox.slack.groups["S0ONCALL"] = ["U0ADA"]
    async with connected_bot(sandbox, access={"logs": ["S0ONCALL"]}):
        await sandbox.slack.command("/logs kitchen follow")
        await sandbox.slack.until(
            lambda: any("Cancel" in lines_of(message) for message in sandbox.slack.seen())
        )
        sandbox.slack.groups["S0ONCALL"] = []
        # Groups are read again after a minute.
        assert isinstance(sandbox.clock, MovableClock)
        sandbox.clock.ahead += timedelta(minutes=2)
        await sandbox.slack.until(
            lambda: any(
                "You no longer have access to /logs" in m.text for m in sandbox.slack.seen()
            )
        )
        assert not any("Working on" in m.text for m in sandbox.slack.seen())


@pytest.mark.usefixtures("bot")
async def test_interrupted_feed_goes_on(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.commands.logs.words.SHORTEST_FOLLOW", timedelta(seconds=1))
    monkeypatch.setattr("bot.commands.logs.entries.REOPEN_AFTER_S", 0.01)
    polls = itertools.count()

    async def fail_after_the_first(_: web.Request) -> web.Response | None:
        return web.Response(status=503) if next(polls) else None

    sandbox.rapid7.misbehave(fail_after_the_first, path=":2:", times=4)
    started = datetime.now(UTC)
    sandbox.rapid7.now = lambda: started + (datetime.now(UTC) - started) * 600
    await sandbox.slack.command("/logs kitchen follow 4s")
    done = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if "The file is" in m.text), None),
        timeout_s=60,
    )
    assert "The feed was interrupted, so lines may be missing." in done.text


async def test_terminal_has_exact_values(sandbox: Sandbox, run_cli: Run) -> None:
    ran = await run_cli("ask", f"/logs kitchen {HOURS} groupby(path) timeslice 2h", "--json")
    assert ran.code == 0
    values = ran.json["values"]
    assert (values["count"], values["lines"], values["groups"]) == (240, 240, 3)
    assert values["by_group"]["/menu"] == {"count": 80}
    assert values["by_time"] == {"2026-01-05T10:00:00Z": 120, "2026-01-05T12:00:00Z": 120}
    assert values["complete"] is True
    assert ran.json["files"] == []


async def test_terminal_shows_a_rejected_query(run_cli: Run) -> None:
    ran = await run_cli("ask", "/logs kitchen 2h where(a b) count", "--json")
    assert ran.code == 3
    error = ran.json["error"]
    assert (error["kind"], error["provider"]) == ("protocol", "rapid7-eu")
    assert error["message"].startswith("rapid7-eu does not accept the query: ")
    assert error["hint"] == "/logs kitchen 2h where(status>=500) count"


async def test_rejected_download_shows_the_reason(run_cli: Run) -> None:
    ran = await run_cli("ask", "/logs kitchen 2h where(a b)", "--json")
    assert ran.code == 3
    error = ran.json["error"]
    assert error["message"].startswith("rapid7-eu does not accept the query: invalid LEQL query")
    assert error["hint"] == "/logs kitchen 2h where(status>=500) count"


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize(
    "words", ["subscribe kitchen follow at 09:00", "alert kitchen follow lines above 3"]
)
async def test_schedule_cannot_follow(sandbox: Sandbox, words: str) -> None:
    answer = await sandbox.slack.answer_to(f"/logs {words}")
    assert "while somebody waits for it" in answer.text
    assert "kitchen last 1h newest 20" in answer.text


async def test_alert_on_another_value_is_an_error(sandbox: Sandbox, clock: MovableClock) -> None:
    sandbox.rapid7.now = clock
    rule = {**LOGS_ALERT, "ask": "/logs kitchen last 1h calculate(average:duration)"}
    async with running(sandbox, rule) as bot:
        assert await evaluated(bot, clock) == "error"


async def test_wrong_calculation_sends_nothing(sandbox: Sandbox, run_cli: Run) -> None:
    ran = await run_cli("ask", "/logs kitchen 2h calculate(mode:duration)", "--json")
    assert ran.code == 2
    assert ran.json["error"]["kind"] == "bad_question"
    assert sandbox.rapid7.paths() == []


@pytest.mark.usefixtures("bot")
async def test_form_offers_calculations(sandbox: Sandbox) -> None:
    asked = await sandbox.slack.command("/logs")
    del asked
    refusal = await sandbox.slack.until(lambda: sandbox.slack.seen()[-1:])
    await sandbox.slack.press(refusal[0], "modal.question")
    view = await sandbox.slack.until(sandbox.slack.modal)
    await sandbox.slack.submit(
        view, log="kitchen", window="last 2h", show="count", rest="where(status>=500)"
    )
    await sandbox.slack.until(lambda: any(" lines – " in m.text for m in sandbox.slack.seen()))


LOGS_ALERT = {
    "name": "failing",
    "ask": "/logs kitchen last 1h where(status>=500) count",
    "value": "count",
    "above": 100,
    "every": "15m",
    "channel": "#ops",
}


async def test_alert_counts_without_a_download(sandbox: Sandbox, clock: MovableClock) -> None:
    sandbox.rapid7.now = clock
    async with running(sandbox, LOGS_ALERT) as bot:
        answer = await sandbox.slack.answer_to(
            "/logs alert kitchen where(status>=500) count above 5 in last 1h as busy"
        )
        question = "`/logs kitchen where(status>=500) count last 1h`"
        assert f"count of {question} above 5" in html.unescape(answer.text)
        await evaluations(bot, 1)
        await evaluated(bot, clock)
        await sandbox.slack.until(lambda: any("busy" in text for text in posted_texts(sandbox)))
        assert not any("failing" in text for text in posted_texts(sandbox))
    assert downloads(sandbox) == []
    assert any("6" in m.text for m in messages(sandbox))


async def test_alert_on_each_group(sandbox: Sandbox, clock: MovableClock) -> None:
    sandbox.rapid7.now = clock
    rule = {
        **LOGS_ALERT,
        "ask": "/logs kitchen last 1h groupby(status) count",
        "above": 30,
        "each": "group",
    }
    async with running(sandbox, rule) as bot:
        await evaluated(bot, clock)
        await sandbox.slack.until(lambda: any("200" in text for text in posted_texts(sandbox)))
        assert not any("500" in text for text in posted_texts(sandbox))


async def test_backtest_counts_slices_of_history(sandbox: Sandbox, run_cli: Run) -> None:
    rule = {**LOGS_ALERT, "ask": "/logs kitchen last 1h where(status>=500) count", "above": 5}
    ran = await run_cli(
        "backtest", "failing", "--days", "1", "--json", table={**sandbox.table(), "alert": [rule]}
    )
    assert ran.code == 0, ran.err
    assert ran.json["samples"] >= 90
    assert ran.json["now"] == "firing"
    assert {firing["peak"] for firing in ran.json["firings"]} <= {6.0, 7.0}
    assert downloads(sandbox) == []


async def test_digest_posts_a_count(sandbox: Sandbox, clock: MovableClock) -> None:
    sandbox.rapid7.now = clock
    digest = {
        "name": "errors",
        "ask": "/logs kitchen last 1h count",
        "at": "0 * * * *",
        "channel": "#ops",
    }
    async with running(sandbox, LOGS_ALERT, digest=[digest]):
        clock.strike(15)
        async with asyncio.timeout(60):
            await sandbox.slack.until(
                lambda: any("60 lines" in text for text in posted_texts(sandbox))
            )
    assert downloads(sandbox) == []


@pytest.mark.usefixtures("bot")
async def test_hostile_names_of_groups_are_inert(sandbox: Sandbox) -> None:
    names = [json.dumps(text.replace('"', "'")) for text in HOSTILE.values()]

    def hostile(key: str, start: datetime, end: datetime) -> Iterator[str]:
        for minute, line in enumerate(every_minute(key, start, end)):
            fields = f'"at": "{line[:20]}", "name": {names[minute % len(names)]}'
            yield f'{{{fields}, "token": "ghp_{"a1B2" * 9}"}}'

    sandbox.rapid7.lines = hostile
    answer = await sandbox.slack.answer_to(f"/logs kitchen {HOURS} by name, token top 20")
    assert limits.message_problems(answer.text, answer.blocks) == []
    shown = json.dumps(answer.blocks, ensure_ascii=False) + answer.text
    assert "ghp_a1B2" not in shown
    assert complaints(sandbox.slack) == []
    [*rows] = table(answer, "By name, token")
    assert len(rows) == 1 + len(set(names))
    # A name that was redacted finds no line, so that it has no button.
    assert not [label for label in lines_of(answer) if label.startswith("Lines: ")]


@pytest.mark.usefixtures("bot")
async def test_many_long_groups_fit_a_message(sandbox: Sandbox) -> None:
    def long_lines(key: str, start: datetime, end: datetime) -> Iterator[str]:
        for number, line in enumerate(every_minute(key, start, end)):
            keys = " ".join(f"{name}={name * 180}{number % 150}" for name in "abcde")
            yield f"{line} {keys}"

    sandbox.rapid7.lines = long_lines
    answer = await sandbox.slack.answer_to(f"/logs kitchen {HOURS} by a,b,c,d,e top 100")
    assert limits.message_problems(answer.text, answer.blocks) == []
    assert len(table(answer, "By a, b, c, d, e")) == 101
    assert "100 groups are shown, and there are more" in answer.text


@pytest.mark.usefixtures("bot")
async def test_many_long_logs_fit_a_message(sandbox: Sandbox) -> None:
    sandbox.rapid7.logs = {str(uuid.UUID(int=n)): f"{'log ' * 60}{n}" for n in range(90)}
    answer = await sandbox.slack.answer_to("/logs list")
    assert limits.message_problems(answer.text, answer.blocks) == []
    assert "30 more logs are not shown." in answer.text


@pytest.mark.usefixtures("bot")
async def test_private_follow_is_for_its_asker(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.commands.logs.words.SHORTEST_FOLLOW", timedelta(seconds=1))
    monkeypatch.setattr("handlers.shown_work.EDIT_EVERY_S", 0.05)
    monkeypatch.setattr("handlers.shown_work.SHOW_WORK_AFTER_S", 0.05)
    started = datetime.now(UTC)
    sandbox.rapid7.now = lambda: started + (datetime.now(UTC) - started) * 600
    await sandbox.slack.command("/logs kitchen follow 2s", channel="C0KITCHEN")
    done = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.messages if "from now" in m.text), None),
        timeout_s=60,
    )
    assert done.seen_by == "U0ADA"
    assert not [
        m
        for m in sandbox.slack.messages
        if m.channel == "C0KITCHEN" and m.user == BOT and not m.seen_by
    ]
