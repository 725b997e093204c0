"""What is behind the value of an alert: kept with its incident, and shown where everybody may ask."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.access import EVERYONE
from bot.app import Bot
from bot.commands.apiaudit import evidence
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import Message
from bot.sandbox.targets import TargetSandbox
from handlers.jobs.notice_details import NoticeDetailsReader
from providers.redaction import Secret
from tests.support.alerts import evaluated, messages, posted_texts, running, stored_rows
from tests.support.clock import MovableClock as Clock
from tests.support.messages import button_elements, buttons
from tests.support.outbox import all_sent

pytestmark = pytest.mark.usefixtures("before_noon")

FAILING = {
    "name": "failing",
    "ask": "/apiaudit edge last 10m",
    "value": "failures",
    "above": 2,
    "every": "15m",
    "channel": "#ops",
}
SECRET = "Tr0ub4dor-and-3"
OPEN_IN_OPS = {"usage": ["*"], "apiaudit": ["C0OPS"], "logs": ["C0OPS"]}


class Failures:
    """The failed calls of the last minutes, by actor."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.count = dict[str, int]()
        sandbox.akamai.rows = self._rows

    def __call__(self, **count: int) -> None:
        self.count = count

    def _rows(self, _: datetime, end: datetime) -> list[dict[str, str]]:
        at = f"{end - timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}"
        row = {"clientId": "c", "clientIp": "203.0.113.7", "clientToken": "t"}
        row |= {"method": "get", "timestamp": at, "responseCode": "503"}
        row |= {"uri": f"host/papi?token={SECRET}"}
        return [{**row, "clientOwner": who} for who, n in self.count.items() for _ in range(n)]


@pytest.fixture
def failures(sandbox: Sandbox) -> Failures:
    return Failures(sandbox)


async def fired(sandbox: Sandbox, bot: Bot, clock: Clock) -> Message:
    """The message of the incident that begins with the next evaluation."""
    before = len(messages(sandbox))
    await evaluated(bot, clock)
    found: list[Message] = await sandbox.slack.until(lambda: messages(sandbox)[before:])
    return found[0]


async def acknowledged(sandbox: Sandbox, message: Message) -> None:
    await sandbox.slack.press(message, buttons(message)["Acknowledge"])
    await sandbox.slack.until(lambda: "Acknowledged by" in str(message.blocks))


async def test_evidence_is_kept_over_a_restart(
    sandbox: Sandbox, clock: Clock, failures: Failures
) -> None:
    failures(ada=3)
    async with running(sandbox, FAILING, access=OPEN_IN_OPS) as bot:
        message = await fired(sandbox, bot, clock)
        assert "*Latest failure*" in str(message.blocks)
    async with running(sandbox, FAILING, access=OPEN_IN_OPS):
        await acknowledged(sandbox, message)
    assert "*Latest failure*" in str(message.blocks)
    assert " · ada · GET host/papi?token=[redacted] · 503" in message.text
    assert SECRET not in str(await stored_rows(sandbox, "SELECT watch FROM alerts"))


async def test_evidence_is_posted_by_another_process(
    sandbox: Sandbox, clock: Clock, failures: Failures, location: Path | Secret
) -> None:
    """The process that receives the press has never evaluated the alert."""
    database = str(location)
    if isinstance(location, Secret):
        (sandbox.folder / "database-url").write_text(location.open())
        database = "file:database-url"
    settings: dict[str, Any] = {"access": OPEN_IN_OPS, "database": database}
    failures(ada=3)
    async with (
        running(sandbox, FAILING, **settings) as first,
        running(sandbox, FAILING, **settings) as second,
    ):
        await second.scheduler.stop(within_s=1)
        message = await fired(sandbox, first, clock)
        await acknowledged(sandbox, message)
    assert " · ada · GET host/papi" in message.text


async def test_next_incident_has_its_own_evidence(
    sandbox: Sandbox, clock: Clock, failures: Failures
) -> None:
    async with running(sandbox, FAILING, access=OPEN_IN_OPS) as bot:
        failures(ada=3)
        first = await fired(sandbox, bot, clock)
        failures()
        await evaluated(bot, clock)
        await sandbox.slack.until(lambda: first.text.startswith("✅"))
        assert "Latest failure" not in first.text
        rows = await bot.store.read("SELECT watch FROM alerts", ())
        assert "evidence" not in str(rows)
        failures(grace=2, linus=2)
        second = await fired(sandbox, bot, clock)
    assert "ada" not in second.text
    assert "Most failures: grace 2, linus 2." in second.text


async def test_silenced_incident_is_not_shown_with_evidence_of_the_one_before(
    sandbox: Sandbox, clock: Clock, failures: Failures
) -> None:
    async with running(sandbox, FAILING, access=OPEN_IN_OPS) as bot:
        failures(ada=3)
        await fired(sandbox, bot, clock)
        failures()
        await evaluated(bot, clock)
        rule = bot.rules.registry.find("failing")
        assert rule
        assert "evidence" not in str(await bot.store.read("SELECT watch FROM alerts", ()))
        await sandbox.slack.answer_to("/apiaudit silence failing 1h")
        failures(grace=3)
        await evaluated(bot, clock)
        await sandbox.slack.answer_to("/apiaudit unsilence failing")
        [_, second] = await sandbox.slack.until(
            lambda: (
                [m for m in messages(sandbox) if "resolved" in m.text or "failing:" in m.text][-2:]
                if "🔴" in posted_texts(sandbox)[-1]
                else None
            )
        )
    assert " · grace · " in second.text
    assert "ada" not in second.text


async def test_quoted_log_line_is_redacted(sandbox: Sandbox, clock: Clock) -> None:
    sandbox.rapid7.lines = lambda *_: iter([f"ERROR login failed password={SECRET}"] * 3)
    rule = {**FAILING, "ask": "/logs kitchen last 10m", "value": "lines"}
    async with running(sandbox, rule, access=OPEN_IN_OPS) as bot:
        message = await fired(sandbox, bot, clock)
        [stored] = await bot.store.read("SELECT watch FROM alerts", ())
    assert "Latest line: ERROR login failed password=[redacted]" in message.text
    assert "[redacted]" in stored["watch"]
    assert SECRET not in message.text + str(message.blocks) + stored["watch"]


SHOWN: list[tuple[dict[str, list[str]], bool, bool, bool]] = [
    ({"apiaudit": ["U0ADA", "S0ONCALL"]}, False, False, False),
    ({"apiaudit": ["U0ADA", "C0OPS"]}, True, False, False),
    ({"apiaudit": ["U0ADA", "C0KITCHEN"]}, False, True, False),
    ({"apiaudit": [EVERYONE]}, True, True, True),
]


@pytest.mark.parametrize(("access", "in_channel", "in_copy", "in_targets"), SHOWN)
async def test_evidence_is_shown_where_the_answer_is_public(
    sandbox: Sandbox,
    clock: Clock,
    failures: Failures,
    targets: TargetSandbox,
    access: dict[str, list[str]],
    in_channel: bool,
    in_copy: bool,
    in_targets: bool,
) -> None:
    failures(ada=3, grace=1)
    rule = {
        **FAILING,
        "notify": ["hook", "pagerduty", "mail"],
        "escalate_after": "5m",
        "escalate_to": ["#kitchen"],
    }
    async with running(sandbox, rule, access=access) as bot:
        message = await fired(sandbox, bot, clock)
        await all_sent(bot.store)
        clock.ahead += timedelta(minutes=6)
        [copy] = await sandbox.slack.until(lambda: messages(sandbox, "C0KITCHEN"))
        await acknowledged(sandbox, message)
        await all_sent(bot.store)
    for shown, posted in ((in_channel, message), (in_copy, copy)):
        assert ("Latest failure" in posted.text) is shown
        assert ("grace" in posted.text + str(posted.blocks)) is shown
    events = str(targets.webhook.events)
    pages = str([request.body for request in targets.pagerduty.requests])
    mails = str([mail.message.get_content() for mail in targets.mail.mails])
    for sent in (events, pages, mails):
        assert "failures" in sent
        assert ("grace" in sent) is in_targets


async def test_channel_shared_with_others_shows_no_evidence(
    sandbox: Sandbox, clock: Clock, failures: Failures
) -> None:
    sandbox.slack.channels["C0OPS"].is_ext_shared = True
    failures(ada=3)
    async with running(sandbox, FAILING, access={"apiaudit": ["*"]}) as bot:
        message = await fired(sandbox, bot, clock)
    assert "failures: 3" in message.text
    assert "ada" not in message.text + str(message.blocks)


async def test_restricted_alert_asks_its_own_question(
    sandbox: Sandbox, clock: Clock, failures: Failures
) -> None:
    """The narrowed question of the button would name the actor."""
    failures(ada=3)
    async with running(sandbox, FAILING, access={"apiaudit": ["U0ADA"]}) as bot:
        message = await fired(sandbox, bot, clock)
    [button] = [
        each for each in button_elements(message) if each["text"]["text"] == "Show the data"
    ]
    assert button["value"] == "/apiaudit edge last 10m"


async def test_evidence_is_computed_for_messages_alone(
    sandbox: Sandbox, clock: Clock, failures: Failures, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = list[Any]()
    real: Callable[..., Any] = evidence.failure_evidence

    def counted(*arguments: Any) -> Any:
        computed.append(arguments)
        return real(*arguments)

    monkeypatch.setattr("bot.commands.apiaudit.answer.failure_evidence", counted)
    async with running(sandbox, {**FAILING, "for": "15m"}, access=OPEN_IN_OPS) as bot:
        failures(ada=1)
        await evaluated(bot, clock)
        failures(ada=3)
        await evaluated(bot, clock)
        assert computed == []
        await fired(sandbox, bot, clock)
        await evaluated(bot, clock)
    assert len(computed) == 1


async def test_silence_that_ends_before_the_evaluation_is_saved(
    sandbox: Sandbox, clock: Clock, failures: Failures, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = NoticeDetailsReader.of_evaluation

    async def slow(reader: NoticeDetailsReader, *arguments: Any) -> Any:
        found = await real(reader, *arguments)
        # Once: the silence is over when the evaluation is saved.
        monkeypatch.setattr(NoticeDetailsReader, "of_evaluation", real)
        clock.ahead += timedelta(hours=1)
        return found

    failures(ada=3)
    async with running(sandbox, FAILING, access=OPEN_IN_OPS) as bot:
        await sandbox.slack.answer_to("/apiaudit silence failing 1h")
        monkeypatch.setattr(NoticeDetailsReader, "of_evaluation", slow)
        await evaluated(bot, clock)
        [message] = await sandbox.slack.until(
            lambda: [m for m in messages(sandbox) if "🔴" in m.text]
        )
    assert " · ada · GET host/papi" in message.text
